"""The whole system backed up at work, its database taken away, and put back by one command."""

import asyncio
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from deploy.local.instance import Instance
from tests.support.stack import Stack, running_stack, sign_in
from tests.support.waiting import PATIENCE_S, answered, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

LINES = 1000  # Of a bulk call.
MANIFESTS = "backups/*/base/*/manifest.json"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A system with backups, which others have switched off."""
    folder = Path(tmp_path_factory.mktemp("backed"))
    settings = {"BACKUP_ENABLED": "true", "BACKUP_WAL_INTERVAL_S": "1"}
    with running_stack(folder, **settings) as started:
        yield started


class Shop:
    """A tenant that moves stock and remembers what was acknowledged."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers
        self.on_hand = 0

    async def open(self) -> None:
        place = {"name": "Main", "type": "warehouse"}
        item = {"code": "A1", "name": "Item", "unit_cost": "2"}
        for path, body in (("/api/locations", place), ("/api/inventory/add-item", item)):
            await self.post(path, body)

    async def post(self, path: str, body: Any) -> Any:
        response = await answered(lambda: self.client.post(path, json=body, headers=self.headers))
        assert response.is_success, response.text
        return response.json()

    async def receive(self, calls: int, lines: int = LINES) -> None:
        line = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 1}
        for _ in range(calls):
            done = await self.post("/api/inventory/movements/bulk", {"lines": [line] * lines})
            assert done["applied"] == lines, done
            self.on_hand += lines

    async def counted(self) -> int:
        found = await answered(
            lambda: self.client.get("/api/inventory/lookup/A1", headers=self.headers)
        )
        assert found.status_code == 200, found.text
        return int(found.json()["on_hand"])

    async def sold_one(self) -> None:
        body = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}
        await self.post("/api/inventory/movements", body)
        self.on_hand -= 1


async def test_database_taken_away_is_put_back_to_the_last_second(own):
    """Every acknowledged movement is there, ledger and chain are whole, everybody is signed out."""
    async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE_S) as client:
        account = await own.add_tenant(client)
        shop = Shop(client, await sign_in(client, account, own.authenticators))
        await shop.open()
        await eventually(lambda: list(own.folder.glob(MANIFESTS)))  # The first comes by itself.
        await shop.receive(2)
        await _sealed(own)
        done = await asyncio.to_thread(own.backups, "backup")
        assert done.returncode == 0, done.stdout + done.stderr
        await shop.receive(1)
        await _nothing_kept_is_lost_with_redis(own, shop)
        for _ in range(20):
            await shop.sold_one()
        old = shop.headers

        os.kill(own.pid("postgres"), signal.SIGKILL)
        own.run("down")
        shutil.rmtree(own.folder / "postgres")
        began = time.monotonic()
        done = await asyncio.to_thread(own.backups, "restore", "--yes")
        restored_s = time.monotonic() - began
        assert done.returncode == 0, done.stdout + done.stderr
        print(done.stdout, f"{restored_s:.1f} s")  # noqa: T201 - shown where it fails.
        assert "inventory verify-stock: Verified: 3,022 ledger rows" in done.stdout
        assert "auth end-sessions: Ended" in done.stdout
        own.run("up")

        refused = await answered(lambda: client.get("/api/inventory/lookup/A1", headers=old))
        assert refused.status_code == 401
        shop.headers = await sign_in(client, account, own.authenticators)
        assert await shop.counted() == shop.on_hand == 2980
        await shop.sold_one()
        assert await shop.counted() == shop.on_hand
        verified = await client.get("/api/inventory/verify", headers=shop.headers)
        assert verified.json()["differences"] == [], verified.text
    await _what_was_done_is_told(own)


async def test_a_drill_proves_a_restore_beside_the_running_system(own):
    done = await asyncio.to_thread(own.backups, "drill", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"]
    assert told["checks"]["amcheck"] == "Every table and index is whole."
    assert told["checks"]["inventory verify-stock"].startswith("Verified:")
    # Of which journals the newest backup has one hangs on what was sealed since the restore.
    assert told["checks"]["heads"].startswith("Kept with the backup and held by the journals: auth")
    assert "amcheck: Every table and index is whole." in done.stderr  # Progress goes aside.
    [evidence] = own.folder.glob("backups/*/evidence/*-drill.json")
    kept = json.loads(evidence.read_text())
    assert kept["ok"]
    assert kept["duration_s"] > 0
    assert not list((own.folder / "drill").iterdir())


async def test_status_and_health_tell_of_backups_and_drills(own):
    """Beside the tests above, which made both; a try that fails is told until one is made."""
    async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE_S) as client:
        boss = {"email": "admin@example.com", "password": own.secrets["ADMIN_PASSWORD"]}
        headers = await sign_in(client, boss, own.authenticators)  # The restore ended the one kept.

        async def read(path: str) -> Any:
            return (await answered(lambda: client.get(path, headers=headers))).json()

        async def is_told(*words: str) -> bool:
            found = await read("/health")
            return (found["status"], found["backup"]) == words

        before = await read("/status")
        nowhere = own.environment | {"BACKUP_REMOTE": f"file://{own.folder}/secrets.env/below"}
        failed = await asyncio.to_thread(own.backups, "backup", environment=nowhere)
        await eventually(lambda: is_told("degraded", "failed"))
        after = await read("/status")
        done = await asyncio.to_thread(own.backups, "backup")
        await eventually(lambda: is_told("ok", "made"))

    told = before["backups"]
    assert (failed.returncode, done.returncode) == (1, 0), failed.stderr + done.stderr
    assert told["state"] == "made"
    assert told["last"]["size_bytes"] > 1_000_000
    assert 0 <= told["last"]["age_s"] < 3600
    assert (told["last_drill"]["ok"], told["last_failed"]) == (True, None)
    assert told["last_drill"]["duration_s"] > 0
    assert after["backups"]["state"] == "failed"
    assert after["backups"]["last_failed"]["error"]
    assert before["latencies_s"].keys() == before["services"].keys()
    for each in before["services"].values():
        assert each["versions"].keys() == {"python", "postgresql", "migration"}
        assert each["cache_latency_s"] < 1
    services = before["services"]
    assert services["auth"]["queues"] == {"mails_due": 0}
    assert services["forecasting"]["queues"] == {"jobs_queued": {}}
    assert services["inventory"]["queues"].keys() == {"webhooks_waiting", "webhooks_lag_s"}
    assert services["reporting"]["follows"][0]["read_ago_s"] < 60


async def test_a_restore_is_refused_while_the_system_runs(own):
    done = await asyncio.to_thread(own.backups, "restore", "--yes", "--json")
    assert not json.loads(done.stdout)["ok"], done.stdout

    assert done.returncode == 1
    assert "`make down` stops it" in done.stderr


async def test_a_restore_without_anybody_to_agree_does_nothing(own, tmp_path):
    target = tmp_path / "beside"

    done = await asyncio.to_thread(own.backups, "restore", "--into", str(target))

    assert done.returncode == 1
    assert "Restore to   the end" in done.stdout
    assert "YES=1" in done.stderr
    assert not target.exists()


async def test_the_metrics_tell_of_backups(own):
    port = Instance(own.folder).find().health_ports["backup"]
    token = own.secrets["METRICS_TOKEN"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        refused = await client.get("/metrics")
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})

    found = dict(line.split(" ") for line in answer.text.splitlines() if line.startswith("backup_"))
    assert refused.status_code == 401
    assert found["backup_last_status"] == "1.0"
    assert time.time() - float(found["backup_last_success_timestamp_seconds"]) < 3600
    assert float(found["backup_size_bytes"]) > 1_000_000
    assert float(found["backup_wal_lag_seconds"]) < PATIENCE_S


async def _sealed(own: Stack) -> None:
    """Wait until inventory's newest checkpoint is kept outside, so that a backup takes it along."""
    await eventually((own.folder / "journal" / "inventory.checkpoint").exists)


async def _nothing_kept_is_lost_with_redis(own: Stack, shop: Shop) -> None:
    """Valkey emptied: what it holds can be had again, so no backup needs it."""
    note = Instance(own.folder).find()
    assert note is not None
    async with Redis.from_url(note.redis_url) as redis:
        await redis.flushall()
    assert await shop.counted() == shop.on_hand
    await shop.sold_one()
    await shop.receive(1, lines=1)
    assert await shop.counted() == shop.on_hand


async def _what_was_done_is_told(own: Stack) -> None:
    """By auth's journal, and by a backup on the timeline that the restore began."""

    async def entries() -> set[str]:
        connection = await asyncpg.connect(own.superuser_dsn)
        rows = await connection.fetch("SELECT type FROM auth.journal WHERE actor = 'backup'")
        await connection.close()
        return {row["type"] for row in rows}

    async def told() -> bool:
        return {"auth.backup-made.v1", "auth.backup-restored.v1"} <= await entries()

    await eventually(told)
    await eventually(lambda: len(list(own.folder.glob(MANIFESTS))) >= 3)
    listed = await asyncio.to_thread(own.backups, "list", "--json")
    backups = json.loads(listed.stdout)["backups"]
    assert 2 in {backup["timeline"] for backup in backups}, listed.stdout
