import asyncio
from collections.abc import Callable
from datetime import datetime

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from services.auth import first_start
from services.auth.first_start import prepare
from services.auth.resources import AuthResources, open_service
from services.auth.settings import Settings
from services.auth.tenants import service as tenants
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp
from shared.ids import new_id
from tests.services.auth.people import ADMIN_EMAIL, ADMIN_PASSWORD, SignedIn
from tests.support.database import Databases
from tests.support.services import running
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack


async def test_the_first_administrator_can_sign_in_and_manage_tenants(platform_admin: SignedIn):
    assert platform_admin.user["role"] == "admin"
    assert "tenant:manage" in platform_admin.user["scopes"]


async def test_many_processes_make_one_administrator(
    client: httpx.AsyncClient, make_settings: Callable[..., Settings], databases: Databases
):
    resources = open_service(make_settings())

    await asyncio.gather(*(prepare(resources, utc_now()) for _ in range(8)))

    await resources.close()
    connection = await asyncpg.connect(databases.superuser_dsn)
    administrators = await connection.fetchval(
        """
        SELECT count(*) FROM auth.journal WHERE type = 'auth.user-registered.v1'
        AND data->>'origin' = 'installation' AND tenant_id = $1""",
        DEFAULT_TENANT_ID,
    )
    tenants = await connection.fetchval("SELECT count(*) FROM auth.tenants WHERE slug = 'default'")
    await connection.close()
    assert (administrators, tenants) == (1, 1)


async def test_a_changed_admin_password_changes_nothing(
    make_app: Callable[..., FastAPI], client: httpx.AsyncClient
):
    async with running(make_app(admin_password="Other-Gravel-Sonnet")) as again:
        responses = [
            await again.post("/api/auth/login", json={"email": ADMIN_EMAIL, "password": password})
            for password in (ADMIN_PASSWORD, "Other-Gravel-Sonnet")
        ]

    assert [response.json()["code"] for response in responses] == [
        "invalid_credentials",
        "invalid_credentials",
    ]


async def test_what_failed_is_tried_again_and_logged_without_what_it_held(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
):
    tries: list[object] = []

    async def prepare_at_last(resources: AuthResources, now: datetime) -> None:
        tries.append(resources)
        if len(tries) < 3:
            raise asyncpg.CheckViolationError("Failing row contains ($argon2id$canary)")

    monkeypatch.setattr(first_start, "prepare", prepare_at_last)
    monkeypatch.setattr(first_start, "RETRY_DELAY_S", 0)
    resources, starting = open_service(make_settings()), first_start.FirstStart()

    with capture_logs() as logged:
        await starting.start(resources)
        await eventually(lambda: len(tries) == 3)

    await starting.stop(resources)
    await resources.close()
    assert [line["reason"] for line in logged] == ["CheckViolationError"]
    assert "canary" not in str(logged)


async def test_the_default_tenant_has_the_installation_s_language(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
):
    another = new_id()
    monkeypatch.setattr(tenants, "DEFAULT_TENANT_ID", another)
    monkeypatch.setattr(tenants, "DEFAULT_TENANT_SLUG", f"default-{another.hex[:8]}")
    monkeypatch.setattr(first_start, "DEFAULT_TENANT_ID", another)
    settings = make_settings(default_language="fr", admin_email="chef@example.com")
    resources = open_service(settings)

    await prepare(resources, utc_now())

    async with resources.database.transaction(Stamp(another, "test")) as session:
        tenant = await tenants.get_tenant(session, another)
    await resources.close()
    assert tenant.language == "fr"
