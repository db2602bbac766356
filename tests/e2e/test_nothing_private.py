"""What is private stands in no log, and what is sealed not even in the database's own files."""

import asyncio
import json
import stat
import struct
import subprocess
import sys
import tarfile
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.support.authenticator import Authenticators
from tests.support.stack import ROOT, running_stack, sign_in
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ADMIN_PASSWORD = "canary-admin-6f1c0d"
PASSWORD = "canary-password-9b2e4a"
WRONG_PASSWORD = "canary-wrong-51d7cc"
SUPPLIER = "Canary Supplies 77c1"
EMAIL = "canary-3e8f@example.com"
COST = "7391.4273"
COST_PACKED = struct.pack("<hh", 7391, 4273)  # As PostgreSQL keeps the digits of a number.
KEY = "canary-key-c41d22"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = Path(tmp_path_factory.mktemp("private")) / "state"
    settings = {"ADMIN_PASSWORD": ADMIN_PASSWORD, "STATEMENT_TIMEOUT_MS": "4000"}
    with running_stack(folder, **settings) as started:
        yield started


@pytest.fixture(scope="module")
async def superuser(stack):
    connection = await asyncpg.connect(stack.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def tokens(stack, superuser):
    """A day's work, with every statement logged as slow; gives the tokens it was done with."""
    await superuser.execute("ALTER SYSTEM SET log_min_duration_statement = 0")
    await superuser.execute("SELECT pg_reload_conf()")
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S) as client:
        found, admin = await _work(client)
        (stack.folder.parent / "admin.token").write_text(admin["Authorization"].split(" ")[1])
        await _fail(client, superuser, found[0])
    await superuser.execute("CHECKPOINT")
    return found


async def _work(client):
    admin = await sign_in(client, {"email": "admin@example.com", "password": ADMIN_PASSWORD})
    slug = f"t-{uuid4().hex[:8]}"
    body = {
        "name": SUPPLIER,
        "slug": slug,
        "admin_email": EMAIL,
        "admin_password": PASSWORD,
        "admin_password_change_required": False,
    }
    assert (await client.post("/api/tenants", json=body, headers=admin)).status_code == 201
    boss = {"email": EMAIL, "tenant": slug}
    signed_in = await Authenticators().sign_in(client, boss | {"password": PASSWORD})
    wrong = await client.post("/api/auth/login", json=boss | {"password": WRONG_PASSWORD})
    assert (signed_in.status_code, wrong.status_code) == (200, 401)
    tokens = [signed_in.json()["access_token"], signed_in.json()["refresh_token"]]
    headers = {"Authorization": f"Bearer {tokens[0]}"}
    for path, body in (
        ("/api/locations", {"name": SUPPLIER, "type": "warehouse"}),
        ("/api/inventory/add-item", {"code": "A1", "name": SUPPLIER, "unit_cost": COST}),
        ("/api/inventory/movements", _receipt()),
    ):
        answer = await client.post(
            path, json=body, headers=headers | {"Idempotency-Key": KEY + path[-9:]}
        )
        assert answer.status_code == 201, answer.text

    async def is_valued():
        answer = await client.get("/api/reports/inventory-value?by=item", headers=headers)
        return bool(answer.json()["items"])

    await eventually(is_valued)
    return tokens, admin


def _receipt():
    return {
        "kind": "receipt", "item": "A1", "location": SUPPLIER, "quantity": 3, "unit_cost": COST,
        "reference": SUPPLIER,
    }  # fmt: skip


async def _fail(client, superuser, token):
    """Make the database refuse: what is there, what takes too long, what is no statement."""
    headers = {"Authorization": f"Bearer {token}"}
    place = {"name": SUPPLIER, "type": "warehouse"}
    twice = await client.post("/api/locations", json=place, headers=headers)
    both = await asyncio.gather(
        *(
            client.post("/api/locations", json=place | {"name": f"{SUPPLIER} 2"}, headers=headers)
            for _ in range(8)
        )
    )
    assert (twice.status_code, {a.status_code for a in both}) == (409, {201, 409})
    async with superuser.transaction():
        await superuser.execute("LOCK inventory.levels, inventory.locations IN EXCLUSIVE MODE")
        late = await asyncio.gather(
            client.post("/api/inventory/movements", json=_receipt(), headers=headers),
            client.post("/api/locations", json=place | {"name": f"{SUPPLIER} 3"}, headers=headers),
        )
    assert {answer.status_code for answer in late} <= {503, 504}
    async with superuser.transaction():
        await superuser.execute("ALTER TABLE inventory.locations RENAME COLUMN name TO gone")
    broken = await client.post("/api/locations", json=place, headers=headers)
    await superuser.execute("ALTER TABLE inventory.locations RENAME COLUMN gone TO name")
    assert broken.status_code == 500


def canaries(tokens):
    secret = [ADMIN_PASSWORD, PASSWORD, WRONG_PASSWORD, COST, *(t.split(".")[-1] for t in tokens)]
    return [text.encode() for text in (*secret, SUPPLIER, EMAIL, KEY)]


def holding(files, wanted):
    found = {}
    for path in files:
        content = path.read_bytes()
        if names := [canary for canary in wanted if canary in content]:
            found[path.name] = names
    return found


def files_of(stack, *, data):
    """The files of the database itself, or all others; not the one file that is for secrets."""
    return [
        path
        for path in stack.folder.rglob("*")
        if path.is_file()
        and path.is_relative_to(stack.folder / "postgres") is data
        and path.name != "secrets.env"
        and path.parent.name != "mail"  # What would be sent to somebody bears his address.
    ]


@pytest.mark.asvs("F08")
async def test_no_log_holds_anything_private(stack, tokens):
    logs = files_of(stack, data=False)

    assert {"postgres.log", "inventory.log", "auth.log", "stack.log"} <= {p.name for p in logs}
    database = (stack.folder / "log" / "postgres.log").read_text()
    for said in (
        "duration:",
        "INSERT INTO",
        "duplicate key",
        "canceling statement",
        "does not exist",
    ):
        assert said in database
    assert "Traceback" in (stack.folder / "log" / "inventory.log").read_text()
    assert holding(logs, canaries(tokens)) == {}


async def test_what_is_sealed_or_hashed_stands_nowhere_in_the_database_either(stack, tokens):
    sealed = [ADMIN_PASSWORD, PASSWORD, WRONG_PASSWORD, EMAIL, COST, tokens[1].split(".")[-1]]
    files = files_of(stack, data=True)

    assert holding(
        files, [SUPPLIER.encode()]
    )  # What is not sealed is found: it is looked for well.
    assert holding(files, [*(text.encode() for text in sealed), COST_PACKED]) == {}


@pytest.mark.asvs("F08")
async def test_a_support_bundle_holds_nothing_private(stack, tokens, tmp_path):
    """Nor any secret of the installation, nor the token that it was made with."""
    token = stack.folder.parent / "admin.token"
    words = ["support-bundle", "--json", "--token-file", str(token), "--into", str(tmp_path)]
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.operator", *words],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    path = Path(told["path"])
    with tarfile.open(path) as archive:
        assert {member.mode & 0o077 for member in archive} == {0}
        archive.extractall(tmp_path / "unpacked")  # noqa: S202 - our own program wrote it.
    files = [file for file in (tmp_path / "unpacked").rglob("*") if file.is_file()]
    assert [stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("*.gz")] == [0o600]
    secrets = [value.encode() for value in stack.secrets.values() if value]

    assert {
        "about.json", "settings.json", "status.json", "statements.json", "logs/postgres.log",
        "logs/inventory.log", "metrics/gateway.txt", "metrics/auth-worker.txt",
    } <= set(told["files"])  # fmt: skip
    assert holding(files, [*canaries(tokens), *secrets, token.read_bytes()]) == {}
    log = next(file for file in files if file.name == "inventory.log").read_text()
    assert "services/inventory/" in log  # Where an error came from is told.


async def test_every_file_is_its_owners_alone(stack, tokens):
    others = {
        str(path.relative_to(stack.folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (stack.folder, *stack.folder.rglob("*"))
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    }

    assert others == {}
