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
from services.auth.sessions import metrics
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


async def test_the_worker_forgets_what_was_mailed_asked_and_begun_once_it_has_ended(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_settings: Callable[..., Settings],
    databases: Databases,
):
    """Whether anybody comes back to it or not."""
    ended = utc_now() - ENDED_SESSIONS_KEPT - timedelta(minutes=1)
    tables = ("one_time_tokens", "passkey_challenges", "factor_recoveries", "provided_sign_ins")
    tenant, user = claims_of(boss.access_token)["tid"], boss.user["id"]
    connection = await asyncpg.connect(databases.superuser_dsn)
    for at in (ended, utc_now() + timedelta(minutes=5)):
        await connection.execute(
            """INSERT INTO auth.one_time_tokens
            (tenant_id, id, user_id, purpose, secret_index, token_version, expires_at)
            VALUES ($1, gen_random_uuid(), $2, $4, sha256('a'), 1, $3)""",
            tenant, user, at, "reset" if at == ended else "invite",
        )  # fmt: skip
        await connection.execute(
            """INSERT INTO auth.provided_sign_ins
            (tenant_id, id, state_index, binding_index, begun_sealed, methods, expires_at)
            VALUES ($1, gen_random_uuid(), sha256('a'), sha256('b'), '', '{}', $2)""",
            tenant, at,
        )  # fmt: skip
    await client.post("/api/auth/passkeys/setup", headers=boss.headers())
    await connection.execute(
        "UPDATE auth.passkey_challenges SET expires_at = $2 WHERE user_id = $1", user, ended
    )
    await connection.execute(
        """INSERT INTO auth.factor_recoveries (tenant_id, id, user_id, requested_by,
        requester_tenant_id, requested_at, expires_at)
        VALUES ($1, gen_random_uuid(), $2, gen_random_uuid(), $1,
            $3::timestamptz - interval '1 day', $3)""",
        tenant, user, ended,
    )  # fmt: skip

    async def left() -> list[int]:
        count = "SELECT count(*) FROM auth.{} WHERE tenant_id = $1"
        return [await connection.fetchval(count.format(table), tenant) for table in tables]

    assert await left() == [2, 1, 1, 2]

    async def is_done() -> bool:
        return await left() == [1, 0, 0, 1]

    await working(make_settings(), is_done)
    await connection.close()


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

    for gauge in (metrics.users_active, metrics.sessions_active):
        gauge.set(0)  # Of an earlier worker.

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
