import asyncio
from collections.abc import Callable
from functools import partial
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.sessions.errors import RefreshInvalid, RefreshWasReused
from services.auth.sessions.rules import RefreshToken
from shared.errors import ValidationFailed
from tests.services.auth.people import Clock, SignedIn, SignIn, claims_of
from tests.support.authenticator import Authenticator
from tests.support.database import Databases
from tests.support.services import assert_problem, running
from tests.support.waiting import answered

pytestmark = pytest.mark.stack


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/auth/refresh", json={"refresh_token": token})


async def journaled(databases: Databases, who: SignedIn) -> list[str]:
    session_id = claims_of(who.access_token)["sid"]
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        "SELECT type FROM auth.journal WHERE subject = $1 ORDER BY seq", f"session:{session_id}"
    )
    await connection.close()
    return [row["type"] for row in rows]


async def test_gives_a_new_pair_of_the_same_session(client: httpx.AsyncClient, boss: SignedIn):
    response = await refresh(client, boss.refresh_token)

    found = response.json()
    before, after = claims_of(boss.access_token), claims_of(found["access_token"])
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert found["refresh_token"] != boss.refresh_token
    assert after["jti"] != before["jti"]
    assert {n: after[n] for n in ("sub", "tid", "sid", "auth_time", "ver")} == {
        n: before[n] for n in ("sub", "tid", "sid", "auth_time", "ver")
    }


async def test_each_token_leads_to_the_next(client: httpx.AsyncClient, boss: SignedIn):
    token, seen = boss.refresh_token, {boss.refresh_token}

    for _ in range(5):
        token = (await refresh(client, token)).json()["refresh_token"]
        seen.add(token)

    assert len(seen) == 6


@pytest.mark.asvs("C13")
async def test_fifty_parallel_refreshes_have_one_successor(
    client: httpx.AsyncClient, boss: SignedIn, databases: Databases
):
    token = boss.refresh_token
    for round_number in range(1, 4):
        ask = partial(refresh, client, token)
        answers = await asyncio.gather(*(answered(ask) for _ in range(50)))

        assert {answer.status_code for answer in answers} == {200}
        successors = {answer.json()["refresh_token"] for answer in answers}
        assert len(successors) == 1
        assert len(await journaled(databases, boss)) == round_number
        token = successors.pop()


@pytest.mark.asvs("C12")
async def test_a_lost_answer_can_be_asked_for_again(
    client: httpx.AsyncClient, boss: SignedIn, clock: Clock
):
    first = await refresh(client, boss.refresh_token)
    clock.advance(seconds=9)

    again = await refresh(client, boss.refresh_token)

    assert again.json()["refresh_token"] == first.json()["refresh_token"]


@pytest.mark.asvs("C10")
async def test_reuse_after_the_leeway_ends_the_family(
    client: httpx.AsyncClient, boss: SignedIn, clock: Clock, databases: Databases
):
    successor = (await refresh(client, boss.refresh_token)).json()["refresh_token"]
    clock.advance(seconds=11)

    reused = await refresh(client, boss.refresh_token)

    assert_problem(reused, RefreshWasReused)
    assert_problem(await refresh(client, successor), RefreshInvalid)
    assert_problem(await refresh(client, boss.refresh_token), RefreshInvalid)
    assert await journaled(databases, boss) == [
        "auth.session-refreshed.v1",
        "auth.refresh-reused.v1",
        "auth.session-revoked.v1",
    ]


@pytest.mark.asvs("C11")
async def test_a_grandparent_ends_the_family_even_within_the_leeway(
    client: httpx.AsyncClient, boss: SignedIn
):
    second = (await refresh(client, boss.refresh_token)).json()["refresh_token"]
    third = (await refresh(client, second)).json()["refresh_token"]

    assert_problem(await refresh(client, boss.refresh_token), RefreshWasReused)
    assert_problem(await refresh(client, third), RefreshInvalid)


async def test_parallel_reuse_revokes_once(
    client: httpx.AsyncClient, boss: SignedIn, clock: Clock, databases: Databases
):
    await refresh(client, boss.refresh_token)
    clock.advance(seconds=11)

    answers = await asyncio.gather(*(refresh(client, boss.refresh_token) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {401}
    assert (await journaled(databases, boss)).count("auth.session-revoked.v1") == 1


async def test_a_refresh_beside_a_change_of_role_gives_a_role_of_its_version(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    """The gateway refuses the older version, so an older role dies with it."""
    for number in range(10):
        ada = await make_user(f"ada{number}@example.com", role="manager")
        path, viewer = f"/api/users/{ada.user['id']}", {"role": "viewer"}

        answer, _ = await asyncio.gather(
            refresh(client, ada.refresh_token),
            client.patch(path, json=viewer, headers=boss.headers()),
        )

        claims = claims_of(answer.json()["access_token"])
        assert (claims["role"], claims["ver"]) in {("manager", 1), ("viewer", 2)}


async def test_a_refresh_beside_a_lock_leaves_nothing_that_goes_on(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    for number in range(10):
        ada = await make_user(f"ada{number}@example.com")
        path = f"/api/users/{ada.user['id']}"

        answer, _ = await asyncio.gather(
            refresh(client, ada.refresh_token), client.post(f"{path}/lock", headers=boss.headers())
        )
        await client.post(f"{path}/unlock", headers=boss.headers())

        if answer.status_code == 200:
            found = answer.json()
            assert claims_of(found["access_token"])["ver"] == 1  # Raised to 2 by the lock.
            assert_problem(await refresh(client, found["refresh_token"]), RefreshInvalid)
        else:
            assert_problem(answer, RefreshInvalid)


async def test_reuse_leaves_the_user_s_other_sessions_alone(
    client: httpx.AsyncClient, boss: SignedIn, sign_in: SignIn, clock: Clock
):
    other = await sign_in(boss.email, tenant=boss.tenant)
    await refresh(client, boss.refresh_token)
    clock.advance(seconds=11)
    await refresh(client, boss.refresh_token)

    assert (await refresh(client, other.refresh_token)).status_code == 200


@pytest.mark.asvs("C14")
async def test_an_idle_session_ends(client: httpx.AsyncClient, make_user: SignIn, clock: Clock):
    ada = await make_user()
    clock.advance(days=6.9)
    second = await refresh(client, ada.refresh_token)
    clock.advance(days=7.1)

    assert second.status_code == 200
    assert_problem(await refresh(client, second.json()["refresh_token"]), RefreshInvalid)


@pytest.mark.asvs("C14")
async def test_a_session_ends_however_much_it_is_used(
    client: httpx.AsyncClient, make_user: SignIn, clock: Clock
):
    token = (await make_user()).refresh_token
    for _ in range(5):
        clock.advance(days=5.9)
        token = (await refresh(client, token)).json()["refresh_token"]
    clock.advance(days=0.6)

    assert_problem(await refresh(client, token), RefreshInvalid)


@pytest.mark.asvs("C14")
async def test_an_administrators_session_ends_after_twelve_hours_however_much_it_is_used(
    client: httpx.AsyncClient, boss: SignedIn, clock: Clock
):
    clock.advance(hours=11, minutes=55)
    last = await refresh(client, boss.refresh_token)
    clock.advance(minutes=6)

    assert last.status_code == 200
    assert 0 < last.json()["expires_in"] <= 300  # No token outlasts its session.
    assert_problem(await refresh(client, last.json()["refresh_token"]), RefreshInvalid)


@pytest.mark.asvs("C14")
async def test_who_becomes_an_administrator_signs_in_anew_after_twelve_hours(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, clock: Clock
):
    ada = await make_user()
    setup = await client.post("/api/auth/2fa/setup", headers=ada.headers())
    code = Authenticator(setup.json()["secret"]).code()
    await client.post("/api/auth/2fa/verify", json={"code": code}, headers=ada.headers())
    path = f"/api/users/{ada.user['id']}"
    promoted = await client.patch(path, json={"role": "admin"}, headers=boss.headers())
    clock.advance(hours=12, minutes=1)

    assert promoted.status_code == 200
    assert_problem(await refresh(client, ada.refresh_token), RefreshInvalid)


@pytest.mark.parametrize("token", ["x", "rt1.", "rt1." + "A" * 96, "eyJ.eyJ.x"])
async def test_other_texts_refresh_nothing(client: httpx.AsyncClient, token: str):
    assert_problem(await refresh(client, token), RefreshInvalid)


async def test_an_access_token_refreshes_nothing(client: httpx.AsyncClient, boss: SignedIn):
    response = await client.post(
        "/api/auth/refresh", json={"refresh_token": boss.access_token[:512]}
    )

    assert_problem(response, RefreshInvalid)


async def test_an_oversized_token_is_not_even_looked_at(client: httpx.AsyncClient):
    assert_problem(await refresh(client, "x" * 513), ValidationFailed)


async def test_a_token_signed_with_another_secret_refreshes_nothing(
    make_app: Callable[..., FastAPI], client: httpx.AsyncClient, boss: SignedIn
):
    async with running(make_app(jwt_secret="other" * 10)) as other:
        assert_problem(await refresh(other, boss.refresh_token), RefreshInvalid)


async def test_a_session_is_found_only_in_its_tenant(
    app: FastAPI, client: httpx.AsyncClient, make_tenant: Callable[..., SignedIn]
):
    one, other = await make_tenant(), await make_tenant()
    key = app.state.resources.own.refresh_key
    token = RefreshToken.read(one.refresh_token, key)
    other_tenant_id = UUID(claims_of(other.access_token)["tid"])

    moved = RefreshToken(other_tenant_id, token.user_id, token.session_id, token.counter)

    assert_problem(await refresh(client, moved.sealed(key)), RefreshInvalid)
    assert (await refresh(client, one.refresh_token)).status_code == 200
