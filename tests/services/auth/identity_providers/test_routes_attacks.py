"""Lies and repetitions in a sign-in by the company's provider."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.identity_providers.errors import (
    ProvidedSignInInvalid,
)
from tests.services.auth.identity_providers.browser import (
    ADA,
    FINISH,
    body_of,
    come_in,
    start,
)
from tests.services.auth.people import Clock, SignedIn, SignIn, claims_of, enrol
from tests.support.database import Databases
from tests.support.identity_provider import CLIENT_SECRET, Provider
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


def unsigned(claims: dict[str, Any]) -> str:
    import base64  # noqa: PLC0415 - of this forgery alone.
    import json  # noqa: PLC0415 - same.

    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join([*encoded, b""]).decode()


def by_the_clients_secret(claims: dict[str, Any]) -> str:
    from joserfc import jwt  # noqa: PLC0415 - of this forgery alone.
    from joserfc.jwk import OctKey  # noqa: PLC0415 - same.

    return jwt.encode({"alg": "HS256", "kid": "r1"}, claims, OctKey.import_key(CLIENT_SECRET))


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://elsewhere.example.com"},
        {"aud": "another"},
        {"aud": ["stock wright", "another"]},
        {"aud": "stock wright", "azp": "another"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": 7},
    ],
)
async def test_an_id_token_that_is_not_of_this_sign_in_is_refused(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    change: dict[str, Any],
):
    await make_user("ada@example.com")
    await settled(boss)
    provider.alter = lambda claims: {
        name: value for name, value in (claims | change).items() if value is not None
    }

    answer = await come_in(client, provider, boss.tenant, **ADA)

    assert answer.status_code == 403
    assert answer.json()["code"] == "identity_not_proved"


@pytest.mark.parametrize("forge", [unsigned, by_the_clients_secret, lambda _: "a.b.c", str])
async def test_an_id_token_with_another_signature_is_refused(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    forge: Any,
):
    await make_user("ada@example.com")
    await settled(boss)
    provider.sign = forge

    answer = await come_in(client, provider, boss.tenant, **ADA)

    assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_proved")


async def test_a_state_is_good_once_in_the_browser_and_the_tenant_that_began(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_tenant: Any,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    clock: Clock,
):
    await make_user("ada@example.com")
    other = await make_tenant()
    await settled(boss)
    await settled(other)
    begun, theirs = await start(client, boss.tenant), await start(client, other.tenant)
    body = body_of(begun, provider.sign_in(begun["authorization_url"], **ADA))
    crossed = body_of(theirs, provider.sign_in(theirs["authorization_url"], **ADA))

    refused = [
        await client.post(FINISH, json=body | {"binding": theirs["binding"]}),
        await client.post(FINISH, json=body | {"state": crossed["state"]}),
        await client.post(FINISH, json=body | {"state": "os_none"}),
    ]
    done = await client.post(FINISH, json=body)
    refused.append(await client.post(FINISH, json=body))
    late = await start(client, boss.tenant)
    late_body = body_of(late, provider.sign_in(late["authorization_url"], **ADA))
    clock.advance(minutes=11)
    refused.append(await client.post(FINISH, json=late_body))

    assert done.status_code == 200, done.text
    for answer in refused:
        assert_problem(answer, ProvidedSignInInvalid)


async def test_of_many_who_send_one_state_at_once_one_comes_in(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    await make_user("ada@example.com")
    await settled(boss)
    begun = await start(client, boss.tenant)
    body = body_of(begun, provider.sign_in(begun["authorization_url"], **ADA))

    answers = await asyncio.gather(*(client.post(FINISH, json=body) for _ in range(8)))

    assert sorted(one.status_code for one in answers) == [200] + [400] * 7


async def test_another_issuer_than_the_one_that_was_asked_is_refused(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    """A mix-up: a second provider sends the browser back with the state of the first."""
    await make_user("ada@example.com")
    await settled(boss)

    for iss in ("https://elsewhere.example.com", None):
        begun = await start(client, boss.tenant)
        body = body_of(begun, provider.sign_in(begun["authorization_url"], **ADA)) | {"iss": iss}
        answer = await client.post(FINISH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_proved")


@pytest.mark.asvs("F07")
async def test_who_is_not_let_in_stands_in_the_journal(
    client: httpx.AsyncClient,
    boss: SignedIn,
    provider: Provider,
    settled: Any,
    databases: Databases,
):
    await settled(boss)
    for lie in ({"email_verified": False}, {"nonce": "another"}):
        provider.alter = lambda claims, lie=lie: claims | lie
        assert (await come_in(client, provider, boss.tenant, **ADA)).is_client_error

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        """SELECT data::jsonb ->> 'reason' AS reason FROM auth.journal
        WHERE type = 'auth.provided-sign-in-failed.v1' AND tenant_id = $1 ORDER BY seq""",
        UUID(claims_of(boss.access_token)["tid"]),
    )
    await connection.close()
    assert [row["reason"] for row in rows] == ["address_not_vouched", "identity_not_proved"]


async def test_what_a_provider_vouched_for_is_nothing_once_another_is_set(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    ada = await make_user("ada@example.com")
    own = await enrol(ada)
    await settled(boss)
    begun = await start(client, boss.tenant)
    body = body_of(begun, provider.sign_in(begun["authorization_url"], **ADA))
    assert (await client.post(FINISH, json=body)).json()["code"] == "two_factor_required"
    other = provider.issuer.replace("127.0.0.1", "localhost")
    provider.configuration = {"issuer": other}
    assert (await settled(boss, issuer=other)).status_code == 200

    late = await client.post(FINISH, json=body | {"code": own.code()})

    assert_problem(late, ProvidedSignInInvalid)
