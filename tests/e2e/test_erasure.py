"""A person is erased from the whole system: no table, no cache and no log tells who it was.

Nor does a restore bring him back.
"""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from deploy.local.instance import Instance
from tests.support.stack import Stack, running_stack, sign_in
from tests.support.waiting import PATIENCE_S, answered, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CANARY = "canary5d1e"
EMAIL, NAME, DEVICE = f"{CANARY}@example.com", f"{CANARY} Lovelace", f"{CANARY}/7.7"
PASSWORD = "nine unrelated words, of which this is one"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    settings = {"BACKUP_ENABLED": "true", "BACKUP_WAL_INTERVAL_S": "1"}
    with running_stack(Path(tmp_path_factory.mktemp("erased")) / "state", **settings) as started:
        yield started


async def at_work(client: httpx.AsyncClient, boss: dict[str, str], tenant: str) -> dict[str, str]:
    """Let somebody come, work in every service and be renamed; return his id and headers."""
    body = {"email": EMAIL, "password": PASSWORD, "role": "manager", "name": f"{CANARY} Byron"}
    body |= {"password_change_required": False}
    key = {"Idempotency-Key": uuid4().hex}
    made = await client.post("/api/users", json=body, headers=boss | key)
    assert made.status_code == 201, made.text
    path = f"/api/users/{made.json()['id']}"
    renamed = await client.patch(path, json={"name": NAME}, headers=boss)
    assert renamed.json()["name"] == NAME
    client.headers["User-Agent"] = DEVICE
    account = {"email": EMAIL, "password": PASSWORD, "tenant": tenant}
    headers = await sign_in(client, account)
    for url, wanted in (
        ("/api/locations", {"name": "Main", "type": "warehouse"}),
        ("/api/inventory", {"code": "A1", "name": "A1"}),
        ("/api/inventory/movements", {"kind": "receipt", "item": "A1", "location": "Main",
                                      "quantity": 3}),
        ("/api/auth/api-keys", {"name": f"{CANARY} till", "scopes": ["inventory:read"]}),
    ):  # fmt: skip
        done = await client.post(url, json=wanted, headers=headers)
        assert done.is_success, done.text
    for url in ("/api/dashboard/stats", "/api/auth/me", "/api/auth/sessions"):
        assert (await client.get(url, headers=headers)).is_success, url
    wrong = await client.post("/api/auth/login", json=account | {"password": "wrong " * 3})
    assert wrong.status_code == 401
    client.headers["User-Agent"] = "python"
    return {"id": made.json()["id"], **headers}


async def tables_with(superuser: asyncpg.Connection, text: str) -> list[str]:
    """Every table of every schema in which a row has this text, of whatever tenant."""
    tables = await superuser.fetch(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    query = "SELECT EXISTS (SELECT FROM {} t WHERE t::text ILIKE $1)"
    return [
        name
        for (name,) in tables
        if await superuser.fetchval(query.format(name), f"%{text}%")  # Names of the catalogue.
    ]


async def keys_with(own: Stack, text: str) -> list[str]:
    note = Instance(own.folder).find()
    assert note is not None
    found = []
    async with Redis.from_url(note.redis_url, decode_responses=True) as redis:
        async for name in redis.scan_iter():
            value = (
                await redis.dump(name)
                if await redis.type(name) != "string"
                else (await redis.get(name))
            )
            if text in f"{name} {value!r}".lower():
                found.append(name)
    return found


def logs_with(own: Stack, text: str) -> list[str]:
    logs = own.folder / "log"
    return [path.name for path in logs.rglob("*") if text in path.read_text(errors="replace")]


@pytest.mark.asvs("F12")
async def test_nothing_tells_who_it_was_and_every_record_holds(own):
    superuser = await asyncpg.connect(own.superuser_dsn)
    await eventually(lambda: list(own.folder.glob("backups/*/base/*/manifest.json")))
    async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE_S) as client:
        account = await own.add_tenant(client)
        boss = await sign_in(client, account, own.authenticators)
        person = await at_work(client, boss, account["tenant"])
        user_id = person.pop("id")
        assert await tables_with(superuser, CANARY) == ["auth.api_keys"]  # All else is sealed.
        told = await client.get(f"/api/users/{user_id}/personal-data", headers=boss)
        assert told.text.count(CANARY) > 4
        assert DEVICE in {one["user_agent"] for one in told.json()["sign_ins"]}

        before = datetime.now(UTC).isoformat()
        erased = await client.post(f"/api/users/{user_id}/erase", headers=boss)

        assert erased.status_code == 200, erased.text

        async def is_out() -> bool:
            answer = await client.get("/api/inventory/lookup/A1", headers=person)
            return answer.status_code == 401

        await eventually(is_out)
        assert await tables_with(superuser, CANARY) == []
        assert await keys_with(own, CANARY) == []
        assert logs_with(own, CANARY) == []
        again = await client.get(f"/api/users/{user_id}/personal-data", headers=boss)
        assert CANARY not in again.text

        async def verified() -> bool:
            audit = await client.get("/api/audit/verify", headers=boss)
            return audit.status_code == 200 and audit.json()["ok"]

        await eventually(verified)
        stock = await client.get("/api/inventory/verify", headers=boss)
        assert stock.json()["differences"] == [], stock.text
        trail = await client.get(f"/api/audit?actor=user:{user_id}", headers=boss)
        assert {"auth", "inventory"} <= {one["service"] for one in trail.json()["items"]}
        await superuser.close()
        await eventually(lambda: list(own.folder.glob("backups/*/erasures/000001.json")))
        boss = await restored_to(before, own, client, account)
        superuser = await asyncpg.connect(own.superuser_dsn)
        assert await tables_with(superuser, CANARY) == []
        found = await client.get(f"/api/users/{user_id}", headers=boss)
        assert (found.json()["name"], found.json()["email"]) == ("Erased person", None)
        await eventually(verified)
        stock = await client.get("/api/inventory/verify", headers=boss)
        assert stock.json()["differences"] == [], stock.text
        entry = "SELECT actor FROM auth.journal WHERE type = 'auth.user-erased.v1'"
        assert await superuser.fetchval(entry) == "restore"
    await superuser.close()


async def restored_to(
    moment: str, own: Stack, client: httpx.AsyncClient, account: dict[str, str]
) -> dict[str, str]:
    """Restore to before somebody was erased; return the headers of the tenant's administrator."""
    own.run("down")
    done = await asyncio.to_thread(own.backups, "restore", "--yes", "--at", moment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Erased       1 persons by the list" in done.stdout
    assert "auth erase-again: Erased 1 persons again, of 1 on the list" in done.stdout
    [evidence] = own.folder.glob("backups/*/evidence/*-restore.json")
    told = json.loads(evidence.read_text())["checks"]["auth erase-again"]
    assert told.startswith("Erased 1 persons again")
    own.run("up")
    await answered(lambda: client.get("/health"))
    return await sign_in(client, account, own.authenticators)
