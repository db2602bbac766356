"""Setting a company's provider, and providers that are away or must not be asked."""

from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.identity_providers.errors import (
    IdentityProviderAway,
    IdentityProviderNotUsable,
    NoIdentityProvider,
    RedirectNotUsable,
)
from shared.errors import MissingScope, StepUpRequired
from tests.services.auth.identity_providers.browser import (
    ADA,
    FINISH,
    START,
    body_of,
    come_in,
    start,
)
from tests.services.auth.people import SignedIn, SignIn
from tests.support.database import Databases
from tests.support.identity_provider import CLIENT_SECRET, Provider
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


async def test_a_provider_that_is_away_is_told_and_nothing_hangs(
    client: httpx.AsyncClient, boss: SignedIn, provider: Provider, settled: Any, app: Any
):
    await settled(boss)
    begun = await start(client, boss.tenant)
    body = body_of(begun, provider.sign_in(begun["authorization_url"], **ADA))
    provider.fails = True
    app.state.resources.own.providers._keys.clear()

    finished = await client.post(FINISH, json=body)
    app.state.resources.own.providers._configurations.clear()
    started = await client.post(START, json={"tenant": boss.tenant})
    provider.fails, provider.delay_s = False, 600
    slow = await client.post(START, json={"tenant": boss.tenant})
    provider.hangs.set()

    assert (finished.status_code, finished.json()["code"]) == (403, "identity_not_proved")
    for answer in (started, slow):
        assert_problem(answer, IdentityProviderAway)
    provider.hangs.clear()


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "https://10.0.0.7",
        "https://169.254.169.254",
        "https://user@login.example.com",
        "file:///etc/passwd",
        "https://",
        "https://login.example.com:99999",
    ],
)
async def test_an_address_that_may_not_be_asked_is_refused(
    boss: SignedIn, provider: Provider, settled: Any, issuer: str
):
    answer = await settled(boss, issuer=issuer)

    assert_problem(answer, IdentityProviderNotUsable)
    assert provider.asked == []


@pytest.mark.parametrize(
    "page", ["http://app.example.com", "javascript:alert(1)", "https://a.example.com/#x", "/here"]
)
async def test_a_page_that_no_browser_is_sent_to_is_told_as_that(
    boss: SignedIn, provider: Provider, settled: Any, page: str
):
    assert_problem(await settled(boss, redirect_uri=page), RedirectNotUsable)
    assert provider.asked == []


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://elsewhere.example.com"},
        {"token_endpoint": "http://10.0.0.7/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_provider_that_says_something_else_is_not_usable(
    boss: SignedIn, provider: Provider, settled: Any, lie: dict[str, Any]
):
    provider.configuration = lie

    assert_problem(await settled(boss), IdentityProviderNotUsable)


async def test_administrators_set_it_with_a_fresh_proof_and_its_secret_is_never_shown(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    make_tenant: Any,
    provider: Provider,
    settled: Any,
    databases: Databases,
):
    clerk, other = await make_user(role="manager"), await make_tenant()
    path = "/api/identity-provider"

    refused = await settled(clerk)
    made = await settled(boss)
    again = await settled(boss, client_id="other")
    read = await client.get(path, headers=boss.headers())
    theirs = await client.get(path, headers=other.headers())

    assert_problem(refused, MissingScope)
    assert (made.json()["version"], again.json()["version"]) == (1, 2)
    assert read.json() == again.json()
    assert CLIENT_SECRET not in made.text + read.text
    assert_problem(theirs, NoIdentityProvider)
    connection = await asyncpg.connect(databases.superuser_dsn)
    kept = await connection.fetch("SELECT t::text AS row FROM auth.identity_providers t")
    told = await connection.fetch(
        "SELECT data::text FROM auth.journal WHERE type LIKE 'auth.identity-provider%'"
    )
    await connection.close()
    for row in (*kept, *told):
        assert CLIENT_SECRET not in row[0]
        assert CLIENT_SECRET.encode().hex() not in row[0]
    gone = await client.delete(path, headers=boss.headers())
    assert gone.status_code == 204
    for tenant in (boss.tenant, "nobody"):
        assert_problem(await client.post(START, json={"tenant": tenant}), NoIdentityProvider)


async def test_without_a_fresh_proof_nothing_is_set(
    boss: SignedIn, settled: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.web.permissions.FRESH_S", -1)

    assert_problem(await settled(boss), StepUpRequired)


async def test_with_another_issuer_the_links_are_gone(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    databases: Databases,
):
    """Its subjects are other people's, though they look alike."""
    await make_user("ada@example.com")
    await settled(boss)
    await come_in(client, provider, boss.tenant, **ADA)
    other = provider.issuer.replace("127.0.0.1", "localhost")
    provider.configuration = {"issuer": other}

    assert (await settled(boss, issuer=other)).status_code == 200

    connection = await asyncpg.connect(databases.superuser_dsn)
    left = await connection.fetchval(
        "SELECT count(*) FROM auth.identity_links l JOIN auth.tenants t ON t.id = l.tenant_id "
        "WHERE t.slug = $1",
        boss.tenant,
    )
    await connection.close()
    assert left == 0
