"""Accounts of who left: closed at once, to strangers not there, and given back as they were."""

import asyncio
import json
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.api_keys.errors import ApiKeyInvalid
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.sessions.errors import InvalidCredentials, RefreshInvalid
from services.auth.users.errors import EmailTaken, LastAdministrator, UserNotFound
from shared.clock import utc_now
from shared.errors import MissingScope, StepUpRequired, Unauthorized, ValidationFailed
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of, with_old_proof
from tests.services.auth.post import PostOffice
from tests.support.database import Databases
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

GATEWAY = service_headers("gateway", "api_keys:exchange", "revocations:read", target="auth")


@pytest.fixture
async def ada(make_user: SignIn) -> SignedIn:
    return await make_user()


async def deactivate(by: SignedIn, user_id: str, reason: str = "left") -> httpx.Response:
    path = f"/api/users/{user_id}/deactivate"
    return await by.client.post(path, json={"reason": reason}, headers=by.headers())


async def reactivate(by: SignedIn, user_id: str) -> httpx.Response:
    return await by.client.post(f"/api/users/{user_id}/reactivate", headers=by.headers())


async def log_in(who: SignedIn, **changes: str) -> httpx.Response:
    body = {"email": who.email, "password": PASSWORD, "tenant": who.tenant}
    return await who.client.post("/api/auth/login", json=body | changes)


async def test_a_deactivated_account_looks_as_if_there_were_none(boss: SignedIn, ada: SignedIn):
    closed = await deactivate(boss, ada.user["id"])

    assert (closed.status_code, closed.json()["status"]) == (200, "deactivated")
    known = await log_in(ada)
    unknown = await log_in(ada, email="nobody@example.com")
    assert_problem(known, InvalidCredentials)
    assert _without_id(known) == _without_id(unknown)
    stale = {"refresh_token": ada.refresh_token}
    assert_problem(await ada.client.post("/api/auth/refresh", json=stale), RefreshInvalid)
    proof = {"password": PASSWORD}
    step_up = await ada.client.post("/api/auth/step-up", json=proof, headers=ada.headers())
    assert step_up.status_code == 401


async def test_what_is_out_is_told_to_the_gateway(
    client: httpx.AsyncClient, boss: SignedIn, ada: SignedIn
):
    key = await _add_key(ada)

    await deactivate(boss, ada.user["id"])

    told = (await client.get("/internal/revocations", headers=GATEWAY)).json()
    assert told["versions"][ada.user["id"]] > claims_of(ada.access_token)["ver"]
    assert key["id"] in told["sessions"]
    exchanged = await client.post(
        "/internal/api-keys/exchange", json={"key": key["key"]}, headers=GATEWAY
    )
    assert_problem(exchanged, ApiKeyInvalid)
    again = await client.post(
        "/api/auth/api-keys",
        json={"name": "Late", "scopes": ["inventory:read"]},
        headers=ada.headers(),
    )
    assert again.status_code == 401


async def test_no_mail_opens_a_deactivated_account(
    client: httpx.AsyncClient, boss: SignedIn, ada: SignedIn, post: PostOffice
):
    asked = {"email": ada.email, "tenant": ada.tenant}
    await client.post("/api/auth/forgot-password", json=asked)
    token = await post.token_to(ada.email)

    await deactivate(boss, ada.user["id"])

    body = {"token": token, "new_password": "marmalade fence quartet 9"}
    assert_problem(await client.post("/api/auth/reset-password", json=body), OneTimeTokenInvalid)
    sent = len(await post.to(ada.email))
    for path in ("forgot-password", "resend-verification"):
        assert (await client.post(f"/api/auth/{path}", json=asked)).status_code == 202
    assert len(await post.to(ada.email)) == sent
    registered = await client.post("/api/auth/register", json=asked | {"password": PASSWORD})
    assert (registered.status_code, registered.json()["status"]) == (201, "unverified")
    *_, told = await post.to(ada.email)
    assert told["Subject"].startswith("No registration")
    invited = await client.post(
        "/api/invitations", json={"email": ada.email, "role": "clerk"}, headers=boss.headers()
    )
    assert_problem(invited, EmailTaken)
    await reactivate(boss, ada.user["id"])
    assert_problem(await client.post("/api/auth/reset-password", json=body), OneTimeTokenInvalid)


async def test_an_invitation_of_who_is_deactivated_is_not_accepted(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    wanted = {"email": "guest@example.com", "role": "clerk"}
    invited = await client.post("/api/invitations", json=wanted, headers=boss.headers())
    token = await post.token_to("guest@example.com")

    await deactivate(boss, invited.json()["user"]["id"])

    body = {"token": token, "password": PASSWORD}
    accepted = await client.post("/api/auth/accept-invitation", json=body)
    assert_problem(accepted, OneTimeTokenInvalid)


async def test_given_back_the_account_has_its_password_and_no_old_session_or_key(
    client: httpx.AsyncClient, boss: SignedIn, ada: SignedIn
):
    key = await _add_key(ada)
    await deactivate(boss, ada.user["id"])

    back = await reactivate(boss, ada.user["id"])

    assert (back.status_code, back.json()["status"]) == (200, "active")
    assert (await log_in(ada)).status_code == 200
    stale = {"refresh_token": ada.refresh_token}
    assert_problem(await client.post("/api/auth/refresh", json=stale), RefreshInvalid)
    exchanged = await client.post(
        "/internal/api-keys/exchange", json={"key": key["key"]}, headers=GATEWAY
    )
    assert_problem(exchanged, ApiKeyInvalid)


async def test_who_was_locked_before_is_locked_after(boss: SignedIn, ada: SignedIn):
    path = f"/api/users/{ada.user['id']}"
    await boss.client.post(f"{path}/lock", headers=boss.headers())

    closed = await deactivate(boss, ada.user["id"])
    back = await reactivate(boss, ada.user["id"])

    assert [r.json()["status"] for r in (closed, back)] == ["deactivated", "locked"]


async def test_done_twice_it_is_done_once_and_journaled_with_its_reason(
    boss: SignedIn, ada: SignedIn, databases: Databases
):
    for reason in ("security", "left"):
        assert (await deactivate(boss, ada.user["id"], reason)).status_code == 200
    for _ in range(2):
        assert (await reactivate(boss, ada.user["id"])).status_code == 200

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        "SELECT actor, type, data FROM auth.journal WHERE subject = $1 AND actor = $2 ORDER BY seq",
        f"user:{ada.user['id']}",
        f"user:{boss.user['id']}",
    )
    await connection.close()
    assert [row["type"] for row in rows][-3:] == [
        "auth.user-deactivated.v1",
        "auth.user-sessions-ended.v1",
        "auth.user-reactivated.v1",
    ]
    assert json.loads(rows[-3]["data"])["reason"] == "security"


async def test_deactivated_users_are_found_by_their_status(
    client: httpx.AsyncClient, boss: SignedIn, ada: SignedIn
):
    await deactivate(boss, ada.user["id"])

    async def ids(status: str) -> list[str]:
        query = {"status": status}
        found = await client.get("/api/users", params=query, headers=boss.headers())
        return [user["id"] for user in found.json()["items"]]

    assert await ids("deactivated") == [ada.user["id"]]
    assert await ids("active") == [boss.user["id"]]
    assert await ids("locked") == []


async def test_the_last_administrator_stays_though_others_are_invited_or_closed(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    other = await make_user("other@example.com", role="admin")
    await client.post(
        "/api/invitations",
        json={"email": "guest@example.com", "role": "admin"},
        headers=boss.headers(),
    )
    assert (await deactivate(boss, other.user["id"])).status_code == 200

    itself = await deactivate(boss, boss.user["id"])
    path = f"/api/users/{boss.user['id']}"
    demoted = await client.patch(path, json={"role": "viewer"}, headers=boss.headers())

    assert_problem(itself, LastAdministrator)
    assert_problem(demoted, LastAdministrator)


async def test_of_two_administrators_who_deactivate_each_other_one_does(
    boss: SignedIn, make_user: SignIn
):
    for number in range(5):
        other = await make_user(f"admin{number}@example.com", role="admin")

        there, back = await asyncio.gather(
            deactivate(boss, other.user["id"]), deactivate(other, boss.user["id"])
        )

        refused = back if there.status_code == 200 else there
        assert 200 in {there.status_code, back.status_code}
        # The other one is too late: he is the last, or deactivated already.
        assert_problem(refused, LastAdministrator if refused.status_code == 409 else Unauthorized)
        if back.status_code == 200:
            break


async def test_it_needs_the_right_a_fresh_proof_and_a_user_of_ones_own_tenant(
    boss: SignedIn, ada: SignedIn, make_tenant, databases: Databases
):
    stranger = await make_tenant("stranger@example.com")

    for act in (deactivate, reactivate):
        assert_problem(await act(ada, boss.user["id"]), MissingScope)
        assert_problem(await act(stranger, ada.user["id"]), UserNotFound)
    assert_problem(await deactivate(boss, ada.user["id"], "boredom"), ValidationFailed)
    stale = await with_old_proof(boss, databases)
    for act in (deactivate, reactivate):
        assert_problem(await act(stale, ada.user["id"]), StepUpRequired)


async def test_a_proof_that_was_under_way_gives_nothing(
    app: FastAPI, boss: SignedIn, ada: SignedIn, monkeypatch: pytest.MonkeyPatch
):
    """He is deactivated between the look at the password and the end of it."""
    passwords = app.state.resources.own.passwords
    verify = passwords.verify

    async def deactivated_meanwhile(*args: object) -> bool:
        matches = await verify(*args)
        await deactivate(boss, ada.user["id"])
        return matches

    monkeypatch.setattr(passwords, "verify", deactivated_meanwhile)
    body = {"password": PASSWORD}
    stepped_up = await ada.client.post("/api/auth/step-up", json=body, headers=ada.headers())
    monkeypatch.undo()
    await reactivate(boss, ada.user["id"])
    monkeypatch.setattr(passwords, "verify", deactivated_meanwhile)
    signed_in = await log_in(ada)

    assert_problem(stepped_up, InvalidCredentials)
    assert_problem(signed_in, InvalidCredentials)


async def _add_key(who: SignedIn) -> dict[str, str]:
    body = {
        "name": "Till",
        "scopes": ["inventory:read"],
        "expires_at": (utc_now() + timedelta(days=1)).isoformat(),
    }
    made = await who.client.post("/api/auth/api-keys", json=body, headers=who.headers())
    assert made.status_code == 201, made.text
    found: dict[str, str] = made.json()
    return found


def _without_id(response: httpx.Response) -> dict[str, object]:
    return {name: value for name, value in response.json().items() if name != "request_id"}
