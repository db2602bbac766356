"""Addresses that look alike, and whose domains differ, are different people's."""

import secrets
from collections.abc import Callable
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.sessions.errors import InvalidCredentials
from services.auth.settings import Settings
from services.auth.users.rules import lookup_form
from tests.services.auth.accounts.test_routes import log_in, register, verify
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.services.auth.post import PostOffice
from tests.services.auth.test_jobs import working
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

OTHER = "marmalade fence quartet 9"


def pair() -> tuple[str, str]:
    host = f"{secrets.token_hex(4)}.example"
    return f"info@stra\u00dfe-{host}", f"info@strasse-{host}"


async def test_two_domains_are_two_accounts(client: httpx.AsyncClient, post: PostOffice):
    sharp, double = pair()
    first = await register(client, email=sharp)
    await verify(client, await post.token_to(sharp))

    second = await register(client, email=double, password=OTHER)
    assert (await verify(client, await post.token_to(double))).status_code == 200

    assert (await log_in(client, first)).json()["user"]["id"] == first["id"]
    assert (await log_in(client, second)).json()["user"]["id"] == second["id"]
    assert [mail["Subject"] for mail in await post.to(sharp)] == ["Verify your address"]


async def test_a_domain_is_the_same_as_the_dns_has_it(client: httpx.AsyncClient, post: PostOffice):
    sharp, _ = pair()
    found = await register(client, email=sharp)
    await verify(client, await post.token_to(sharp))
    local, _, domain = sharp.partition("@")
    label, _, rest = domain.partition(".")
    spelt = f"{local}@xn--{label.encode('punycode').decode()}.{rest}".upper()

    assert (await log_in(client, found, email=spelt)).status_code == 200
    await register(client, email=spelt)

    [_, told] = await post.to(sharp)
    assert told["Subject"] == "You have an account already"
    assert not await post.to(spelt)


async def test_whoever_is_indexed_by_an_earlier_form_is_found_again(
    boss: SignedIn,
    make_user: SignIn,
    client: httpx.AsyncClient,
    databases: Databases,
    make_settings: Callable[..., Settings],
    index_of: Callable[[str, SignedIn], bytes],
):
    sharp, double = pair()
    ada = await make_user(sharp)
    connection = await asyncpg.connect(databases.superuser_dsn)
    query = "UPDATE auth.users SET email_index = $1 WHERE id = $2"
    await connection.execute(query, index_of(double, boss), ada.user["id"])
    who = {"email": sharp, "password": PASSWORD, "tenant": boss.tenant}
    # Found by another's address alone, the account is nobody's.
    assert_problem(await log_in(client, who | {"email": double}), InvalidCredentials)

    async def is_done() -> bool:
        found = await connection.fetchval(
            "SELECT email_index FROM auth.users WHERE id = $1", ada.user["id"]
        )
        return bool(found == index_of(sharp, boss))

    await working(make_settings(), is_done)

    await connection.close()
    assert (await log_in(client, who)).status_code == 200


@pytest.fixture
def index_of(app: FastAPI) -> Callable[[str, SignedIn], bytes]:
    """Return the index of an address in somebody's tenant."""

    def of(email: str, who: SignedIn) -> bytes:
        index: bytes = app.state.resources.own.emails.of(
            lookup_form(email), UUID(claims_of(who.access_token)["tid"])
        )
        return index

    return of
