"""The auth service over a real database, with the keys that tests/support believes."""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.auth.app import create_app
from services.auth.settings import Settings
from shared.web import requests
from shared.web.permissions import FRESH_S
from tests.contracts.rows import assert_journal_is_as_promised
from tests.services.auth.people import (
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    CLIENT_SECRET,
    PASSWORD,
    Clock,
    SignedIn,
    SignIn,
)
from tests.services.auth.post import PostOffice
from tests.support.authenticator import Authenticators
from tests.support.database import Databases
from tests.support.services import PRIVATE_KEY, running


@pytest.fixture(scope="session")
def make_settings(
    databases: Databases,
    service_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Settings]:
    mail_folder = tmp_path_factory.mktemp("mail")  # Of what a test's worker sends.

    def make(**changes: Any) -> Settings:
        values = {
            **service_environment,
            "database_url": databases.dsn("auth_app"),
            "jwt_private_key": PRIVATE_KEY,
            "jwt_secret": "5a" * 32,
            "encryption_key": "22" * 32,
            "admin_email": ADMIN_EMAIL,
            "admin_password": ADMIN_PASSWORD,
            "registration": "open",
            "mail_folder": mail_folder,
            "password_threads": 8,  # Tests ask for very many at once.
            # All tests come from one network; those of its limit have an app of their own.
            "sign_in_attempts_per_network": 10_000_000,
            **{
                f"{client}_client_secret": CLIENT_SECRET
                for client in ("gateway", "inventory", "forecasting", "reporting")
            },
        }
        return Settings(_env_file=None, **(values | changes))

    return make


@pytest.fixture
def make_app(make_settings: Callable[..., Settings]) -> Callable[..., FastAPI]:
    def make(**changes: Any) -> FastAPI:
        return create_app(make_settings(**changes))

    return make


@pytest.fixture(scope="session")
def app(make_settings: Callable[..., Settings]) -> FastAPI:
    return create_app(make_settings())


@pytest.fixture(scope="session")
async def client(app: FastAPI, databases: Databases) -> AsyncIterator[httpx.AsyncClient]:
    """Speak to one app for all tests: each makes a tenant of its own.

    At the end all that they made auth journal is held against its contracts.
    """
    async with running(app) as client:
        yield client
    await assert_journal_is_as_promised(databases, "auth")


@pytest.fixture
def post(app: FastAPI, client: httpx.AsyncClient) -> PostOffice:
    return PostOffice(app.state.resources)


@pytest.fixture
def clock(app: FastAPI) -> Iterator[Clock]:
    """Give the app a clock that the test can move on."""
    clock = Clock()
    app.dependency_overrides[requests._now] = clock
    yield clock
    del app.dependency_overrides[requests._now]


@pytest.fixture(scope="session")
def authenticators() -> Authenticators:
    return Authenticators()


@pytest.fixture(scope="session")
def sign_in(client: httpx.AsyncClient, authenticators: Authenticators) -> SignIn:
    """Sign somebody in as a client does: administrators with their second factor."""

    async def go(email: str, password: str = PASSWORD, tenant: str = "default") -> SignedIn:
        body = {"email": email, "password": password, "tenant": tenant}
        response = await authenticators.sign_in(client, body)
        assert response.status_code == 200, response.text
        found = response.json()
        return SignedIn(
            client, email, tenant, found["access_token"], found["refresh_token"], found["user"]
        )

    return go


@pytest.fixture(scope="session")
def sign_platform_in(sign_in: SignIn) -> Callable[[], Awaitable[SignedIn]]:
    """Sign the platform's administrator in, anew once his proof of identity is no longer fresh."""
    last: list[tuple[float, SignedIn]] = []

    async def go() -> SignedIn:
        if not last or time.monotonic() - last[-1][0] > FRESH_S - 60:
            last.append((time.monotonic(), await sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)))
        return last[-1][1]

    return go


@pytest.fixture
async def platform_admin(sign_platform_in: Callable[[], Awaitable[SignedIn]]) -> SignedIn:
    return await sign_platform_in()


@pytest.fixture
def make_tenant(
    client: httpx.AsyncClient, platform_admin: SignedIn, sign_in: SignIn
) -> Callable[..., Awaitable[SignedIn]]:
    """Make a tenant of its own and sign its first administrator in."""

    async def make(email: str = "boss@example.com", **changes: str) -> SignedIn:
        slug = f"t{secrets.token_hex(6)}"
        body = {
            "name": "Acme",
            "slug": slug,
            "admin_email": email,
            "admin_password": PASSWORD,
            "admin_password_change_required": False,
        }
        response = await client.post(
            "/api/tenants", json=body | changes, headers=platform_admin.headers()
        )
        assert response.status_code == 201, response.text
        return await sign_in(email, tenant=slug)

    return make


@pytest.fixture
async def boss(make_tenant: Callable[..., Awaitable[SignedIn]]) -> SignedIn:
    """The administrator of a fresh tenant."""
    return await make_tenant()


@pytest.fixture
def make_user(client: httpx.AsyncClient, boss: SignedIn, sign_in: SignIn) -> SignIn:
    """Make an account in the fresh tenant and sign it in."""

    async def make(email: str = "ada@example.com", *, role: str = "clerk", **more: Any) -> SignedIn:
        body = {
            "email": email,
            "password": PASSWORD,
            "role": role,
            "password_change_required": False,
            **more,
        }
        response = await client.post("/api/users", json=body, headers=boss.headers())
        assert response.status_code == 201, response.text
        return await sign_in(email, tenant=boss.tenant)

    return make
