"""Guessing, as a client does it from one network or another."""

import asyncio
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.sessions.errors import InvalidCredentials
from services.auth.throttle.errors import TooManySignIns
from services.auth.throttle.rules import NETWORKS_KNOWN_MAX, POLICIES
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn
from tests.support.database import Databases
from tests.support.services import assert_problem, running
from tests.support.through_gateway import client_of
from tests.support.waiting import answered

pytestmark = pytest.mark.stack

FREE = POLICIES["account"].free
WRONG = "wrong"


async def guess(
    client: httpx.AsyncClient, who: SignedIn, password: str = WRONG, **other: str
) -> httpx.Response:
    body = {"email": who.email, "tenant": who.tenant, "password": password} | other
    return await client.post("/api/auth/login", json=body)


@pytest.mark.asvs("A06")
@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_of_two_hundred_guesses_at_once_ten_are_looked_at(
    app: FastAPI, make_user: SignIn, clock: Clock, email: str
):
    ada = await make_user()
    passwords = app.state.resources.own.passwords
    clock.stop()

    async with client_of(app, "198.51.100.9") as attacker:
        with patch.object(type(passwords), "_verify", autospec=True, return_value=False) as verify:
            ask = partial(guess, attacker, ada, email=email)
            answers = await asyncio.gather(*(answered(ask) for _ in range(200)))

    assert verify.call_count == FREE
    assert sorted(a.status_code for a in answers) == [401] * FREE + [429] * (200 - FREE)


@pytest.mark.asvs("A07")
async def test_guessing_elsewhere_keeps_the_owner_out_nowhere_that_he_was_before(
    app: FastAPI, client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user()
    async with (
        client_of(app, "198.51.100.9") as attacker,
        client_of(app, "203.0.113.5") as elsewhere,
    ):
        for _ in range(FREE + 1):
            last = await guess(attacker, ada)
        assert_problem(last, TooManySignIns)
        assert_problem(await guess(elsewhere, ada, PASSWORD), TooManySignIns)
        assert (await guess(client, ada, PASSWORD)).status_code == 200
        # He proved who he is: what was tried before is forgotten.
        assert (await guess(elsewhere, ada, PASSWORD)).status_code == 200


@pytest.mark.asvs("A07")
async def test_the_lock_ends_by_itself_and_by_an_administrator(
    app: FastAPI, client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, clock: Clock
):
    ada = await make_user()
    async with client_of(app, "203.0.113.5") as elsewhere:
        for _ in range(FREE + 1):
            await guess(elsewhere, ada)
        path = f"/api/users/{ada.user['id']}/unlock"
        assert_problem(await guess(elsewhere, ada, PASSWORD), TooManySignIns)
        assert (await client.post(path, headers=boss.headers())).status_code == 200
        assert (await guess(elsewhere, ada, PASSWORD)).status_code == 200

        bob = await make_user("bob@example.com")
        for _ in range(FREE):
            await guess(elsewhere, bob)
        waiting = await guess(elsewhere, bob, PASSWORD)
        clock.advance(seconds=waiting.json()["retry_after_s"])
        assert (await guess(elsewhere, bob, PASSWORD)).status_code == 200


async def test_a_known_network_has_a_limit_too(client: httpx.AsyncClient, make_user: SignIn):
    ada = await make_user()

    answers = [await guess(client, ada) for _ in range(FREE + 1)]

    assert_problem(answers[-1], TooManySignIns)
    assert_problem(answers[-2], InvalidCredentials)


@pytest.mark.asvs("A08")
async def test_one_password_on_many_accounts_is_throttled_by_network(
    make_app: Callable[..., FastAPI], boss: SignedIn, databases: Databases
):
    spraying, elsewhere = make_app(sign_in_attempts_per_network=20), "203.0.113.77"
    async with running(spraying), client_of(spraying, "198.51.100.200") as attacker:
        answers = [
            await guess(attacker, boss, "Summer2026!", email=f"user{n}@example.com")
            for n in range(30)
        ]
        async with client_of(spraying, elsewhere) as other:
            free = await guess(other, boss, email="user1@example.com")

    assert [a.status_code for a in answers] == [401] * 20 + [429] * 10
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert free.status_code == 401
    connection = await asyncpg.connect(databases.superuser_dsn)
    told = await connection.fetchval(
        "SELECT count(*) FROM auth.journal WHERE type = 'auth.credential-stuffing-suspected.v1'"
    )
    kept = await connection.fetchval("SELECT string_agg(t::text, '') FROM auth.network_attempts t")
    await connection.close()
    assert told == 1
    assert "198.51.100.200" not in kept


async def test_who_signs_in_is_no_guesser(make_app: Callable[..., FastAPI], make_user: SignIn):
    """Many people behind one address sign in all day."""
    ada = await make_user()
    office = make_app(sign_in_attempts_per_network=5)
    async with running(office), client_of(office, "192.0.2.55") as client:
        answers = [await guess(client, ada, PASSWORD) for _ in range(20)]

    assert {a.status_code for a in answers} == {200}


async def test_only_the_networks_last_seen_are_known(
    app: FastAPI, make_user: SignIn, databases: Databases
):
    ada = await make_user()
    for number in range(NETWORKS_KNOWN_MAX + 3):
        async with client_of(app, f"192.0.2.{number + 1}") as client:
            assert (await guess(client, ada, PASSWORD)).status_code == 200

    connection = await asyncpg.connect(databases.superuser_dsn)
    known = await connection.fetchval(
        "SELECT count(*) FROM auth.known_networks WHERE user_id = $1", ada.user["id"]
    )
    await connection.close()
    assert known == NETWORKS_KNOWN_MAX


@pytest.mark.asvs("A05")
async def test_an_unknown_tenant_is_throttled_like_any_account(app: FastAPI, boss: SignedIn):
    async with client_of(app, "198.51.100.31") as attacker:
        answers = [
            await guess(attacker, boss, email="ada@example.com", tenant="nowhere")
            for _ in range(FREE + 1)
        ]
        other = await guess(attacker, boss, email="ada@example.com", tenant="elsewhere")

    assert [answer.status_code for answer in answers] == [401] * FREE + [429]
    assert_problem(answers[0], InvalidCredentials)
    assert other.status_code == 401
