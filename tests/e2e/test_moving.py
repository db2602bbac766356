"""All data moved to another server: exported at work, imported into an empty one, in use there."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.stack import ROOT, Stack, running_stack, sign_in
from tests.support.waiting import PATIENCE_S, answered, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Path(tmp_path_factory.mktemp("moving"))


@pytest.fixture(scope="module")
def own(folder):
    with running_stack(folder / "old") as started:
        yield started


def moving(state: Path, own: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program.
        [sys.executable, "-m", "deploy.moving", *words],
        cwd=ROOT, env=own.environment | {"STATE_DIR": str(state)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def new_place(folder: Path, own: Stack) -> Path:
    """Return the state folder of a new installation that has the old one's secrets."""
    folder.mkdir()
    shutil.copy(own.folder / "secrets.env", folder)
    return folder


async def test_all_goes_on_where_it_was_brought_to(own, folder):
    """Accounts, stock, audit trail and proofs are there, and what is new is followed."""
    file = folder / "whole.export"
    async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE_S) as client:
        account = await own.add_tenant(client)
        headers = await sign_in(client, account, own.authenticators)
        place, item = {"name": "Main", "type": "warehouse"}, {"code": "A1", "name": "Item"}
        for path, body in (("/api/locations", place), ("/api/inventory/add-item", item)):
            assert (await client.post(path, json=body, headers=headers)).is_success
        for _ in range(3):
            await receive(client, headers, 10)
        await eventually((own.folder / "journal" / "inventory.checkpoint").exists)
        done = await asyncio.to_thread(moving, own.folder, own, "export", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        await receive(client, headers, 1000)  # After the export: not in it.
    new = new_place(folder / "new", own)

    done = await asyncio.to_thread(moving, new, own, "import", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "inventory verify-stock: Verified: 3 ledger rows" in done.stdout
    assert "auth end-sessions: Ended" in done.stdout
    with running_stack(new) as stack:
        async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S) as client:
            refused = await answered(lambda: client.get("/api/auth/me", headers=headers))
            assert refused.status_code == 401
            headers = await sign_in(client, account, own.authenticators)
            await receive(client, headers, 7)
            found = await client.get("/api/inventory/lookup/A1", headers=headers)
            assert found.json()["on_hand"] == "37"
            await eventually(lambda: reported(client, headers, "37"))
            verified = await client.get("/api/inventory/verify", headers=headers)
            assert verified.json()["differences"] == [], verified.text
        assert await kinds_of(stack) >= {"auth.backup-imported.v1"}
    assert await kinds_of(own) >= {"auth.backup-exported.v1"}
    await refused_without_a_trace(own, folder, file)


async def refused_without_a_trace(own: Stack, folder: Path, file: Path) -> None:
    """Whatever does not fit is said before anything is touched, or taken out again."""
    cut = folder / "cut.export"
    shutil.copy(file, cut)
    os.truncate(cut, cut.stat().st_size - 100)
    for name, given, said in (
        ("new", file, "The database is not empty"),
        ("cut", cut, "is truncated"),
        ("gone", folder / "nothing", "No such file"),
    ):
        state = folder / name
        if name != "new":
            new_place(state, own)
        done = await asyncio.to_thread(moving, state, own, "import", str(given))
        assert (done.returncode, said in done.stderr) == (1, True), done.stdout + done.stderr
        assert (state / "postgres").exists() is (name == "new")
    done = await asyncio.to_thread(moving, own.folder, own, "import", str(file))
    assert "`make down` stops it" in done.stderr
    done = await asyncio.to_thread(moving, own.folder, own, "export", str(file))
    assert "is there already" in done.stderr


async def test_what_does_not_verify_is_not_left_there(own, folder):
    """An export of data that somebody has changed, and one for an installation of other keys."""
    file = folder / "changed.export"
    superuser = await asyncpg.connect(own.superuser_dsn)
    await superuser.execute("UPDATE auth.journal SET data = '{}' WHERE seq = 1")
    await superuser.close()
    done = await asyncio.to_thread(moving, own.folder, own, "export", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    state = new_place(folder / "refused", own)

    done = await asyncio.to_thread(moving, state, own, "import", str(file))

    assert (done.returncode, "auth verify:" in done.stderr) == (1, True), done.stdout + done.stderr
    assert not (state / "postgres").exists()

    changed = (own.folder / "secrets.env").read_text().splitlines()
    key = next(line for line in changed if line.startswith("PRICE_ENCRYPTION_KEY="))
    other = key[:-4] + ("0000" if not key.endswith("0000") else "1111")
    (state / "secrets.env").write_text("\n".join(changed).replace(key, other))
    done = await asyncio.to_thread(moving, state, own, "import", str(file))
    assert "other keys (PRICE_ENCRYPTION_KEY)" in done.stderr
    assert not (state / "postgres").exists()


async def receive(client: httpx.AsyncClient, headers: dict[str, str], quantity: int) -> None:
    body = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": quantity}
    response = await answered(
        lambda: client.post("/api/inventory/movements", json=body, headers=headers)
    )
    assert response.is_success, response.text


async def reported(client: httpx.AsyncClient, headers: dict[str, str], on_hand: str) -> bool:
    """Say whether reporting has followed inventory's journal up to this stock."""
    found = await client.get("/api/reports/inventory-value", headers=headers)
    return found.is_success and [row["quantity"] for row in found.json()["items"]] == [on_hand]


async def kinds_of(stack: Stack) -> set[str]:
    connection = await asyncpg.connect(stack.superuser_dsn)
    rows = await connection.fetch("SELECT type FROM auth.journal WHERE actor = 'backup'")
    await connection.close()
    return {row["type"] for row in rows}
