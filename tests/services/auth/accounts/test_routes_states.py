"""Each state of an account, and what is possible in it: every act in every state."""

import itertools
from typing import Any, get_args

import asyncpg
import httpx
import pytest

from services.auth.accounts.errors import NotInvited, NotPending
from services.auth.device_recovery.errors import NothingToRecover
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.sessions.errors import (
    AccountLocked,
    AddressUnverified,
    ApprovalPending,
    InvalidCredentials,
)
from services.auth.users.errors import AccountClosed, EmailTaken
from services.auth.users.rules import Status
from shared.errors import Problem
from tests.services.auth.people import PASSWORD, SignedIn, SignIn
from tests.services.auth.post import PostOffice
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

Outcome = type[Problem] | Status | None  # A refusal; the state afterwards; None: the same state.

STATES: dict[Status, str] = {
    "invited": "verified_at = NULL",
    "unverified": "verified_at = NULL, approved_at = NULL",
    "pending": "approved_at = NULL",
    "active": "revision = revision",
    "locked": "locked_at = now()",
    "deactivated": "deactivated_at = now()",
}
SAME: dict[Status, Outcome] = dict.fromkeys(get_args(Status))
OPEN = {state: None for state in SAME if state != "deactivated"}
# Of each act, what becomes of the account in each state.
TABLE: dict[str, dict[Status, Outcome]] = {
    "lock": dict.fromkeys(OPEN, "locked") | {"deactivated": AccountClosed},
    "unlock": OPEN | {"locked": "active", "deactivated": AccountClosed},
    "deactivate": dict.fromkeys(SAME, "deactivated"),
    "reactivate": SAME | {"deactivated": "active"},
    "change": SAME,
    "change-email": SAME,
    "approve": dict.fromkeys(SAME, NotPending) | {"pending": "active"},
    "withdraw": dict.fromkeys(SAME, NotInvited) | {"invited": "locked"},
    "invite": dict.fromkeys(SAME, EmailTaken) | {"invited": None, "unverified": "invited"},
    "recover": dict.fromkeys(OPEN, NothingToRecover) | {"deactivated": AccountClosed},
    "sign in": {
        "invited": AddressUnverified,
        "unverified": AddressUnverified,
        "pending": ApprovalPending,
        "active": None,
        "locked": AccountLocked,
        "deactivated": InvalidCredentials,
    },
}


async def act(boss: SignedIn, name: str, user: dict[str, Any]) -> httpx.Response:
    client, path = boss.client, f"/api/users/{user['id']}"
    email = {"email": user["email"]}
    sent: dict[str, tuple[str, str, Any]] = {
        "deactivate": ("POST", f"{path}/deactivate", {"reason": "left"}),
        "change": ("PATCH", path, {"role": "manager"}),
        "change-email": ("POST", f"{path}/change-email", {"email": f"new-{user['email']}"}),
        "withdraw": ("DELETE", f"/api/invitations/{user['id']}", None),
        "invite": ("POST", "/api/invitations", email | {"role": "clerk"}),
        "recover": ("POST", f"{path}/factor-recovery", None),
        "sign in": ("POST", "/api/auth/login", email | {"tenant": boss.tenant}),
    }
    method, path, body = sent.get(name, ("POST", f"{path}/{name}", None))
    if name == "sign in":
        return await client.request(method, path, json=body | {"password": PASSWORD})
    return await client.request(method, path, json=body, headers=boss.headers())


async def put_into(databases: Databases, user: dict[str, Any], *changes: str) -> None:
    connection = await asyncpg.connect(databases.superuser_dsn)
    for change in changes:
        await connection.execute(f"UPDATE auth.users SET {change} WHERE id = $1", user["id"])  # noqa: S608 - of the test.
    await connection.close()


async def add(boss: SignedIn, email: str) -> dict[str, Any]:
    body = {"email": email, "password": PASSWORD, "role": "clerk"}
    made = await boss.client.post(
        "/api/users", json=body | {"password_change_required": False}, headers=boss.headers()
    )
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def status(boss: SignedIn, user: dict[str, Any]) -> Status:
    found = await boss.client.get(f"/api/users/{user['id']}", headers=boss.headers())
    state: Status = found.json()["status"]
    return state


@pytest.mark.parametrize("name", TABLE)
async def test_each_act_is_possible_in_its_states_alone(
    boss: SignedIn, databases: Databases, name: str
):
    assert set(TABLE[name]) == set(STATES)
    for state, expected in TABLE[name].items():
        user = await add(boss, f"{state}@example.com")
        await put_into(databases, user, STATES[state])

        answer = await act(boss, name, user)

        if isinstance(expected, type):
            assert_problem(answer, expected)
        else:
            assert answer.is_success, f"{name} when {state}: {answer.text}"
        after = state if expected is None or isinstance(expected, type) else expected
        assert await status(boss, user) == after, f"{name} when {state}"


async def test_what_was_done_is_undone(boss: SignedIn, databases: Databases):
    """Unlocked or reactivated, an account is in the state that it was in before."""
    pairs = (("lock", "unlock"), ("deactivate", "reactivate"))
    for state, (do, undo) in itertools.product(STATES, pairs):
        if (state, do) in {("locked", "lock"), ("deactivated", "lock"), ("deactivated", do)}:
            continue
        user = await add(boss, f"{state}-{do}@example.com")
        await put_into(databases, user, STATES[state])

        for name in (do, undo):
            assert (await act(boss, name, user)).status_code == 200, (state, name)

        assert await status(boss, user) == state, (state, do)


async def test_an_invitation_waits_while_its_user_is_locked(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    wanted = {"email": "guest@example.com", "role": "clerk"}
    invited = await client.post("/api/invitations", json=wanted, headers=boss.headers())
    user = invited.json()["user"]
    body = {"token": await post.token_to("guest@example.com"), "password": PASSWORD}

    await act(boss, "lock", user)
    await act(boss, "change", user)
    while_locked = await client.post("/api/auth/accept-invitation", json=body)
    await act(boss, "unlock", user)
    accepted = await client.post("/api/auth/accept-invitation", json=body)

    assert while_locked.status_code == 400
    assert (accepted.status_code, accepted.json()["status"]) == (200, "active")


async def test_a_locked_account_is_not_verified(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    asked = {"email": "new@example.com", "tenant": boss.tenant, "password": PASSWORD}
    await client.post("/api/auth/register", json=asked)
    token = {"token": await post.token_to("new@example.com")}
    listed = await client.get("/api/users?status=unverified", headers=boss.headers())
    (user,) = listed.json()["items"]

    await act(boss, "lock", user)
    while_locked = await client.post("/api/auth/verify-email", json=token)
    await act(boss, "unlock", user)
    verified = await client.post("/api/auth/verify-email", json=token)

    assert while_locked.status_code == 400
    assert (verified.status_code, verified.json()["status"]) == (200, "pending")


@pytest.mark.parametrize("barred", ["lock", "deactivate"])
async def test_what_was_mailed_opens_no_account_that_is_barred(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, post: PostOffice, barred: str
):
    ada, place = await make_user(), {"tenant": boss.tenant}
    await client.post("/api/auth/forgot-password", json=place | {"email": ada.email})
    asked = place | {"email": "new@example.com", "password": PASSWORD}
    await client.post("/api/auth/register", json=asked)
    reset, verify = [await post.token_to(one) for one in (ada.email, "new@example.com")]
    listed = await client.get("/api/users?status=unverified", headers=boss.headers())

    for user in (ada.user, *listed.json()["items"]):
        assert (await act(boss, barred, user)).status_code == 200

    body = {"token": reset, "new_password": "marmalade fence quartet 9"}
    refused = await client.post("/api/auth/reset-password", json=body)
    assert_problem(refused, OneTimeTokenInvalid)
    refused = await client.post("/api/auth/verify-email", json={"token": verify})
    assert_problem(refused, OneTimeTokenInvalid)


async def test_a_closed_account_gets_no_mail_but_of_being_closed_and_opened(
    boss: SignedIn, make_user: SignIn, post: PostOffice
):
    ada = await make_user("closed@example.com")  # Mail of other tests lies there too.

    for name in ("deactivate", "lock", "unlock", "change-email", "recover"):
        await act(boss, name, ada.user)
    closed = [mail["Subject"] for mail in await post.to(ada.email)]
    await act(boss, "reactivate", ada.user)

    assert closed == ["Your account was closed"]
    (mail,) = await post.to(f"new-{ada.email}")
    assert mail["Subject"] == "Your account is open again"
    assert "Acme" in mail.get_content()
