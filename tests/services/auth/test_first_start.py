import asyncio
from collections.abc import Callable

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.first_start import prepare
from services.auth.resources import open_service
from services.auth.settings import Settings
from shared.clock import utc_now
from tests.services.auth.people import ADMIN_EMAIL, ADMIN_PASSWORD, SignedIn
from tests.support.database import Databases
from tests.support.services import running

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
    administrators = await connection.fetchval("""
        SELECT count(*) FROM auth.journal WHERE type = 'auth.user-registered.v1'
        AND data->>'origin' = 'installation'""")
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

    assert [response.status_code for response in responses] == [200, 401]
