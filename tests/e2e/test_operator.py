"""What an operator does with the whole, by commands, beside the running system."""

import asyncio
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from shared.money import plain
from shared.sealed_files.keys import FileKey
from tests.support.documents import blocks_of
from tests.support.stack import ROOT, Stack, running_stack, sign_in
from tests.support.waiting import PATIENCE_S, answered, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A system that may be frozen whole, and altered from behind."""
    folder = Path(tmp_path_factory.mktemp("operated")) / "state"
    with running_stack(folder, BACKUP_ENABLED="true") as started:
        asyncio.run(operate(started, "status"))  # Signs the administrator in, as `make token` does.
        token = (folder / "operator.token").read_text()
        started._platform = time.monotonic(), {"Authorization": f"Bearer {token}"}
        yield started


@pytest.fixture(scope="module")
async def client(own):
    async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE_S) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shop(own, client):
    """A tenant with ten of one item: the account of its administrator, and his headers."""
    account = await own.add_tenant(client)
    headers = await sign_in(client, account)
    place, item = {"name": "Main", "type": "warehouse"}, {"code": "A1", "name": "Item"}
    receipt = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 10}
    for path, body in (
        ("/api/locations", place),
        ("/api/inventory/add-item", item),
        ("/api/inventory/movements", receipt),
    ):
        made = await answered(
            lambda path=path, body=body: client.post(path, json=body, headers=headers)
        )
        assert made.status_code == 201, made.text
    return account, headers


async def operate(stack: Stack, *words: str, code: int = 0):
    """Run a command of the operator's; return its answer as JSON, and as what people read."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.operator", *words],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in words else done.stdout


async def issue(client, headers):
    body = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}
    return await answered(
        lambda: client.post("/api/inventory/movements", json=body, headers=headers)
    )


async def test_status_is_told_for_programs(own):
    found = await operate(own, "status", "--json")

    assert found["health"]["status"] == "ok"
    assert set(found["services"]) == {"auth", "inventory", "forecasting", "reporting"}


async def test_a_review_of_access_says_who_may_do_what_by_whom_and_what_stands_against_it(
    own, client, shop
):
    account, headers = shop
    key = {"name": "Till", "scopes": ["stock:write"]}
    made = await client.post("/api/auth/api-keys", json=key, headers=headers)
    assert made.status_code == 201, made.text

    review = await operate(own, "access-review", "--json", code=3)

    [tenant] = [each for each in review["tenants"] if each["tenant"] == account["tenant"]]
    [boss] = tenant["users"]
    assert (boss["email"], boss["role"], boss["status"]) == (account["email"], "admin", "active")
    assert boss["second_factors"] == ["authenticator"]
    assert boss["role_given_by"].startswith("user:")
    assert boss["last_used_at"]
    assert [each["name"] for each in boss["api_keys"]] == ["Till"]
    assert made.json()["key"] not in json.dumps(review)
    assert {each["kind"] for each in tenant["conflicts"]} == {
        "too_few_administrators", "too_few_approvers",
    }  # fmt: skip
    assert {each["kind"] for each in tenant["controlled"]} >= {"requests_and_approves"}
    assert tenant["value_limits"]["default"] == "1000"


async def follow(stack: Stack, heading: str, *, within: dict[str, str], code: int = 0) -> str:
    """Type in what stands below a heading of docs/incidents.md; return what was answered."""
    blocks = "\n".join(blocks_of(ROOT / "docs" / "incidents.md", heading))
    done = await asyncio.to_thread(
        subprocess.run,
        ["/bin/bash", "-euc", blocks],
        cwd=ROOT, env=stack.environment | within, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


async def test_when_stock_was_manipulated_the_procedure_freezes_finds_and_shuts_out(
    own, client, shop, tmp_path
):
    account, headers = shop
    thief = {"email": "thief@example.com", "password": "pass-9f2c1ab7d3"}
    body = thief | {"role": "clerk", "password_change_required": False}
    made = await client.post("/api/users", json=body, headers=headers)
    assert made.status_code == 201, made.text
    theirs = await sign_in(client, thief | {"tenant": account["tenant"]})
    assert (await issue(client, theirs)).status_code == 201

    told = await follow(
        own, "Stock was manipulated",
        within={
            "TENANT": account["tenant"], "EMAIL": thief["email"], "FOLDER": str(tmp_path / "kept"),
        },
    )  # fmt: skip

    async def is_out():
        answer = await client.get("/api/auth/me", headers=theirs)
        return answer.status_code == 401

    await eventually(is_out)
    lines = told.splitlines()
    [moved] = [line for line in lines if f"user:{made.json()['id']}" in line and "moved" in line]
    assert "inventory.stock-moved.v1" in moved
    [frozen] = [line for line in lines if "inventory.stock-frozen.v1" in line]
    assert " operator " in frozen
    for said in ("Frozen now: 1;", "0 different", "The account is locked", "Lifted: 1;"):
        assert said in told
    assert (await issue(client, headers)).status_code == 201
    _is_whole(own, tmp_path / "kept")


def _is_whole(stack: Stack, folder: Path) -> None:
    """What was kept is hashed, signed, closed to others, and holds no secret."""
    sums = (folder / "SHA256SUMS").read_text()
    names = [line.split("  ")[1] for line in sums.splitlines()]
    for line in sums.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert (folder / name).stat().st_mode & 0o077 == 0
    key = FileKey(stack.secrets["BACKUP_ENCRYPTION_KEY"])
    signature = bytes.fromhex((folder / "SHA256SUMS.sig").read_text())
    assert key.is_signed(sums.encode(), signature)
    assert {
        "status.json", "access.json", "sign-ins.json", "heads/inventory.checkpoint",
        "verification/stock.txt", "changes/auth.json", "logs/gateway.log",
    } <= set(names)  # fmt: skip
    assert json.loads((folder / "sign-ins.json").read_text())
    assert "Verified" in (folder / "verification/stock.txt").read_text()
    everything = "".join((folder / name).read_text() for name in names)
    assert [name for name, value in stack.secrets.items() if value in everything] == []


async def test_reconciling_names_what_was_changed_from_behind(own, shop):
    """That it finds nothing where nothing is wrong, the procedure above shows."""
    connection = await asyncpg.connect(own.superuser_dsn)
    row = await eventually(lambda: connection.fetchrow(_SETTLED))
    amount = row["on_hand"]
    try:
        await _set_both(connection, row, reporting=amount + 1, inventory=amount - 1)
        told = await operate(own, "reconcile", "--json", code=3)
    finally:
        await _set_both(connection, row, reporting=amount, inventory=amount)
        await connection.close()

    named = {key: str(row[key]) for key in ("tenant_id", "item_id", "location_id")}
    assert told["compared"] >= 1
    found = {each["check"]: each for each in told["findings"]}
    amounts = {"inventory": plain(amount - 1), "reporting": plain(amount + 1)}
    assert found["reporting"] == {"check": "reporting", **named, **amounts}
    assert found["stock"]["item_id"] == named["item_id"]
    assert found["stock"]["found"] == plain(amount - 1)


# A level, once reporting has read all.
_SETTLED = """
    SELECT * FROM reporting.levels WHERE on_hand > 0 AND NOT EXISTS (
        SELECT FROM inventory.journal j JOIN reporting.follower_cursors f ON
            f.producer = 'inventory' AND (j.xid, j.seq) > (f.xid::text::xid8, f.seq))"""


async def _set_both(connection, row, **amounts):
    for schema, amount in amounts.items():
        await connection.execute(
            f"UPDATE {schema}.levels SET on_hand = $4 "  # noqa: S608 - our own names.
            "WHERE (tenant_id, item_id, location_id) = ($1, $2, $3)",
            row["tenant_id"], row["item_id"], row["location_id"], amount,
        )  # fmt: skip


async def test_preflight_says_what_is_not_fit_for_production_and_what_to_do(own):
    await eventually(lambda: list(own.folder.glob("backups/*/base/*/manifest.json")))

    told = await operate(own, "preflight", "--json", code=3)

    found = {each["what"]: each for each in told["checks"]}
    wrong = {what for what, each in found.items() if each["grade"] == "fail"}
    assert {"ENVIRONMENT", "REGISTRATION", "HTTPS for clients", "receivers of alerts"} <= wrong
    assert "last drill" in wrong
    for what in (
        "secrets", "health", "release", "last backup", "inventory, migrations", "PostgreSQL",
        "fsync", "max_slot_wal_keep_size", "clock of the server", "TLS to PostgreSQL",
    ):  # fmt: skip
        assert found[what]["grade"] == "ok", found[what]
    assert all(each["do"] for each in told["checks"] if each["grade"] != "ok")


async def test_what_cannot_be_done_says_so_and_shows_no_trace(own):
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.operator", "incident", "freeze", "--tenant", "nowhere",
         "--reason", "x"],
        cwd=ROOT, env=own.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "There is no tenant nowhere." in done.stderr
    assert "Traceback" not in done.stderr


async def test_when_the_system_is_compromised_the_procedure_isolates_and_proves(
    own, client, shop, tmp_path
):
    _, headers = shop
    reason = "Closed for an inquiry."
    procedure = asyncio.create_task(
        follow(own, "The system is compromised", within={"FOLDER": str(tmp_path / "kept")}, code=2)
    )  # As make has it: the review of access has findings.

    async def is_frozen():
        answer = await issue(client, headers)
        return answer.status_code == 423 and answer.json()["reason"] == reason

    await eventually(is_frozen)
    told = await procedure

    assert "Frozen now: " in told
    assert "0 different" in told
    assert "open conflicts in" in told
    refused = await client.get("/api/auth/me", headers=headers)
    assert refused.status_code == 401
    lift = ["incident", "lift", "--tenant", "all", "--note", "Over."]
    assert "Lifted: " in await operate(own, *lift)
