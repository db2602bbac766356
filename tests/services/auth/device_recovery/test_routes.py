"""A lost second factor, as the user, the administrators and an attacker among them meet it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.device_recovery.errors import (
    NothingToRecover,
    OwnRecovery,
    RecoveryNotFound,
    RecoveryPending,
    RequesterGone,
    SecondPersonNeeded,
    TenantsOwnAffair,
)
from services.auth.sessions.errors import RefreshInvalid
from services.auth.users.errors import AccountClosed, UserNotFound
from shared.errors import MissingScope, StepUpRequired
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn
from tests.services.auth.post import PostOffice
from tests.support.authenticator import Authenticator
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.asvs("B10")]

MakeTenant = Callable[..., Awaitable[SignedIn]]


def path_of(who: SignedIn, end: str = "") -> str:
    return f"/api/users/{who.user['id']}/factor-recovery{end}"


def platform_path_of(who: SignedIn, tenant_id: str, end: str = "") -> str:
    return f"/api/tenants/{tenant_id}{path_of(who, end).removeprefix('/api')}"


async def enrol(who: SignedIn) -> None:
    setup = await who.client.post("/api/auth/2fa/setup", headers=who.headers())
    body = {"code": Authenticator(setup.json()["secret"]).code()}
    done = await who.client.post("/api/auth/2fa/verify", json=body, headers=who.headers())
    assert done.status_code == 200, done.text


async def log_in(who: SignedIn) -> httpx.Response:
    body = {"email": who.email, "password": PASSWORD, "tenant": who.tenant}
    return await who.client.post("/api/auth/login", json=body)


async def ask(caller: SignedIn, who: SignedIn) -> httpx.Response:
    return await caller.client.post(path_of(who), headers=caller.headers())


async def approve(caller: SignedIn, who: SignedIn) -> httpx.Response:
    return await caller.client.post(path_of(who, "/approve"), headers=caller.headers())


@pytest.fixture
async def ada(make_user: SignIn) -> SignedIn:
    """A clerk with a second factor."""
    ada = await make_user()
    await enrol(ada)
    return ada


@pytest.fixture
async def second(make_user: SignIn) -> SignedIn:
    return await make_user("second@example.com", role="admin")


@pytest.fixture
async def journal_of(
    databases: Databases,
) -> Callable[[SignedIn], Awaitable[list[tuple[str, str, dict[str, Any]]]]]:
    async def read(who: SignedIn) -> list[tuple[str, str, dict[str, Any]]]:
        connection = await asyncpg.connect(databases.superuser_dsn)
        rows = await connection.fetch(
            "SELECT type, actor, data FROM auth.journal WHERE subject = $1 ORDER BY seq",
            f"user:{who.user['id']}",
        )
        await connection.close()
        return [
            (row["type"], row["actor"], json.loads(row["data"]))
            for row in rows
            if "factor-recover" in row["type"]
        ]

    return read


async def test_two_administrators_let_a_user_begin_anew(
    ada: SignedIn, boss: SignedIn, second: SignedIn, client: httpx.AsyncClient, journal_of
):
    asked = await ask(boss, ada)
    assert asked.status_code == 201, asked.text
    assert asked.json()["requested_by"] == boss.user["id"]
    assert (await client.get(path_of(ada), headers=second.headers())).json() == asked.json()

    assert (await approve(second, ada)).status_code == 204

    ended = await client.post("/api/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert_problem(ended, RefreshInvalid)
    signed_in = (await log_in(ada)).json()
    assert signed_in["enrolment_required"] is True  # Though no clerk must have a factor.
    ada.access_token = signed_in["enrolment_token"]
    setup = await client.post("/api/auth/2fa/setup", headers=ada.headers())
    body = {"code": Authenticator(setup.json()["secret"]).code()}
    done = await client.post("/api/auth/2fa/verify", json=body, headers=ada.headers())
    assert done.json()["access_token"]
    assert (await log_in(ada)).json()["code"] == "two_factor_required"
    requested, recovered = await journal_of(ada)
    assert requested[:2] == ("auth.factor-recovery-requested.v1", f"user:{boss.user['id']}")
    assert recovered[:2] == ("auth.factor-recovered.v1", f"user:{second.user['id']}")
    people = {"requested_by": boss.user["id"], "approved_by": second.user["id"]}
    assert recovered[2] == {"user_id": ada.user["id"], **people}


async def test_nobody_begins_anew_while_his_account_is_closed(
    ada: SignedIn, boss: SignedIn, second: SignedIn, client: httpx.AsyncClient, journal_of
):
    user = f"/api/users/{ada.user['id']}"
    await ask(boss, ada)
    await client.post(f"{user}/deactivate", json={"reason": "left"}, headers=boss.headers())

    refused = await approve(second, ada)
    await client.post(f"{user}/reactivate", headers=boss.headers())

    assert_problem(refused, AccountClosed)
    assert len(await journal_of(ada)) == 1
    assert (await log_in(ada)).json()["code"] == "two_factor_required"
    assert (await approve(second, ada)).status_code == 204


async def test_all_are_told_before_and_after(
    make_user: SignIn, boss: SignedIn, second: SignedIn, post: PostOffice
):
    eve = await make_user("eve.lost@example.com", language="fr")
    third = await make_user("third.told@example.com", role="admin")
    await enrol(eve)
    await ask(boss, eve)
    await approve(second, eve)

    told = await post.to(third.email)
    assert [mail["Subject"] for mail in told][-2:] == [
        "A lost second factor waits for approval",
        "A lost second factor was removed",
    ]
    assert eve.email in told[-1].get_content()
    asked = " ".join(told[-2].get_content().split())
    assert "Another administrator must approve" in asked
    own = await post.to(eve.email)
    assert [mail["Content-Language"] for mail in own][-2:] == ["fr", "fr"]
    assert "administrateur" in own[-1].get_content()


async def test_nobody_approves_what_he_asked_for_or_his_own(
    ada: SignedIn, boss: SignedIn, second: SignedIn
):
    await ask(boss, ada)
    assert_problem(await approve(boss, ada), SecondPersonNeeded)
    assert_problem(await ask(boss, boss), OwnRecovery)
    assert (await ask(second, boss)).status_code == 201
    assert_problem(await approve(boss, boss), OwnRecovery)
    assert (await log_in(ada)).json()["code"] == "two_factor_required"


async def test_of_two_approvals_at_once_one_is_an_act(
    ada: SignedIn, boss: SignedIn, second: SignedIn, make_user: SignIn, journal_of
):
    third = await make_user("third@example.com", role="admin")
    await ask(boss, ada)

    answers = await asyncio.gather(*(approve(one, ada) for one in (second, third) * 4))

    assert sorted(a.status_code for a in answers) == [204] + [404] * 7
    assert [type_ for type_, _, _ in await journal_of(ada)].count("auth.factor-recovered.v1") == 1


async def test_of_two_requests_at_once_one_stands(ada: SignedIn, boss: SignedIn, second: SignedIn):
    answers = await asyncio.gather(*(ask(one, ada) for one in (boss, second) * 3))

    assert sorted(a.status_code for a in answers) == [201] + [409] * 5
    assert_problem(await ask(boss, ada), RecoveryPending)


async def test_a_request_ends_after_a_day(
    ada: SignedIn, boss: SignedIn, second: SignedIn, clock: Clock, sign_in: SignIn
):
    await ask(boss, ada)
    clock.advance(hours=24)

    assert_problem(await approve(second, ada), RecoveryNotFound)
    assert (await ask(boss, ada)).status_code == 201


@pytest.mark.parametrize(("who", "outcome"), [("boss", "withdrawn"), ("second", "declined")])
async def test_a_request_is_withdrawn_or_declined(
    who: str, outcome: str, ada: SignedIn, boss: SignedIn, second: SignedIn, journal_of
):
    await ask(boss, ada)
    caller = {"boss": boss, "second": second}[who]

    ended = await caller.client.delete(path_of(ada), headers=caller.headers())

    assert ended.status_code == 204
    assert_problem(await approve(second, ada), RecoveryNotFound)
    again = await caller.client.delete(path_of(ada), headers=caller.headers())
    assert_problem(again, RecoveryNotFound)
    *_, (type_, _, told) = await journal_of(ada)
    assert type_ == "auth.factor-recovery-ended.v1"
    assert (told["outcome"], told["ended_by"]) == (outcome, caller.user["id"])


async def test_a_request_of_who_is_no_administrator_any_more_is_not_approved(
    ada: SignedIn, boss: SignedIn, second: SignedIn, client: httpx.AsyncClient
):
    await ask(second, ada)
    demoted = await client.patch(
        f"/api/users/{second.user['id']}", json={"role": "viewer"}, headers=boss.headers()
    )
    assert demoted.status_code == 200

    assert_problem(await approve(boss, ada), RequesterGone)


async def test_both_need_the_right_and_a_fresh_proof(
    ada: SignedIn, boss: SignedIn, second: SignedIn, clock: Clock, make_user: SignIn
):
    clerk = await make_user("clerk@example.com")
    assert_problem(await ask(clerk, ada), MissingScope)
    await ask(boss, ada)
    assert_problem(await approve(clerk, ada), MissingScope)


async def test_an_old_proof_does_not_do(
    ada: SignedIn, boss: SignedIn, second: SignedIn, monkeypatch: pytest.MonkeyPatch
):
    await ask(boss, ada)
    monkeypatch.setattr("shared.web.permissions.FRESH_S", -60)

    assert_problem(await approve(second, ada), StepUpRequired)
    assert_problem(await ask(second, ada), StepUpRequired)


async def test_who_has_no_factor_has_nothing_to_recover(boss: SignedIn, make_user: SignIn):
    assert_problem(await ask(boss, await make_user("bare@example.com")), NothingToRecover)


async def test_other_tenants_administrators_find_nobody(
    ada: SignedIn, boss: SignedIn, make_tenant: MakeTenant
):
    await ask(boss, ada)
    stranger = await make_tenant("stranger@example.com")

    assert_problem(await approve(stranger, ada), UserNotFound)
    tenant_id = await tenant_of(boss)
    answer = await stranger.client.post(
        platform_path_of(ada, tenant_id, "/approve"), headers=stranger.headers()
    )
    assert_problem(answer, MissingScope)


async def tenant_of(who: SignedIn) -> str:
    me = await who.client.get("/api/auth/me", headers=who.headers())
    tenant_id: str = me.json()["tenant"]["id"]
    return tenant_id


@pytest.mark.parametrize("who_asks", ["platform", "tenant"])
async def test_the_platform_is_the_second_of_a_tenant_with_one(
    who_asks: str, ada: SignedIn, boss: SignedIn, platform_admin: SignedIn
):
    there, tenant_id = platform_admin, await tenant_of(boss)
    path = platform_path_of(ada, tenant_id)
    if who_asks == "platform":
        asked = await there.client.post(path, headers=there.headers())
        same = await there.client.post(f"{path}/approve", headers=there.headers())
        assert_problem(same, SecondPersonNeeded)
        done = await approve(boss, ada)
    else:
        asked = await ask(boss, ada)
        seen = await there.client.get(path, headers=there.headers())
        assert seen.json() == asked.json()
        done = await there.client.post(f"{path}/approve", headers=there.headers())

    assert (asked.status_code, done.status_code) == (201, 204), done.text
    assert (await log_in(ada)).json()["enrolment_required"] is True


async def test_the_platform_keeps_out_of_a_tenant_with_two_others(
    ada: SignedIn, boss: SignedIn, second: SignedIn, platform_admin: SignedIn
):
    await ask(boss, ada)
    path = platform_path_of(ada, await tenant_of(boss))

    for end in ("", "/approve"):
        answer = await platform_admin.client.post(path + end, headers=platform_admin.headers())
        assert_problem(answer, TenantsOwnAffair)
    answer = await platform_admin.client.delete(path, headers=platform_admin.headers())
    assert_problem(answer, TenantsOwnAffair)
