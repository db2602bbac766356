import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY

from services.auth.jobs import work
from services.auth.resources import open_service
from services.auth.sessions.rules import ENDED_SESSIONS_KEPT
from services.auth.settings import Settings
from shared.clock import utc_now
from tests.services.auth.people import SignedIn, claims_of
from tests.support.database import Databases
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack


async def working(settings: Settings, is_done: Callable[[], Awaitable[bool]]) -> None:
    """Run the worker until `is_done` says so."""
    resources = open_service(settings)
    worker = asyncio.create_task(work(resources))
    try:
        await eventually(is_done)
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await resources.close()


async def test_the_worker_counts_and_forgets(
    client: httpx.AsyncClient,
    boss: SignedIn,
    platform_admin: SignedIn,
    make_settings: Callable[..., Settings],
    databases: Databases,
):
    wrong = {"email": boss.email, "password": "wrong", "tenant": boss.tenant}
    await client.post("/api/auth/login", json=wrong)
    session_ids = [claims_of(who.access_token)["sid"] for who in (boss, platform_admin)]
    connection = await asyncpg.connect(databases.superuser_dsn)
    long_ago = utc_now() - ENDED_SESSIONS_KEPT - timedelta(minutes=1)
    await connection.execute(
        "UPDATE auth.sessions SET revoked_at = $1 WHERE id = $2", long_ago, session_ids[0]
    )
    await connection.execute("UPDATE auth.attempts SET attempted_at = $1", long_ago)

    async def is_done() -> bool:
        left = await connection.fetchval("SELECT count(*) FROM auth.attempts")
        sealed = await connection.fetchval("SELECT count(*) FROM auth.checkpoints")
        return left == 0 and sealed > 0 and bool(REGISTRY.get_sample_value("sessions_active_total"))

    await working(make_settings(), is_done)

    kept = await connection.fetch("SELECT id FROM auth.sessions WHERE id = ANY($1)", session_ids)
    active = await connection.fetchrow("""
        SELECT (SELECT count(*) FROM auth.users
                WHERE locked_at IS NULL AND deactivated_at IS NULL) AS users,
               (SELECT count(*) FROM auth.checkpoints) AS checkpoints""")
    await connection.close()
    assert [str(row["id"]) for row in kept] == session_ids[1:]
    assert REGISTRY.get_sample_value("users_active_total") == active["users"]
    assert active["checkpoints"] > 0
