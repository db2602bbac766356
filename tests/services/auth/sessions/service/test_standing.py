"""What ends a sign-in counts at once, though the gateway let the request in before."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from shared.errors import Unauthorized
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

ACTS = [
    ("POST", "/api/auth/step-up", {"password": PASSWORD}),
    ("POST", "/api/auth/api-keys", {"name": "Till", "scopes": ["inventory:read"]}),
    ("POST", "/api/auth/change-password", {"current_password": PASSWORD, "new_password": "a b c"}),
    ("POST", "/api/auth/change-email", {"email": "other@example.com"}),
    ("POST", "/api/auth/2fa/setup", None),
    ("POST", "/api/auth/2fa/verify", {"code": "000000"}),
    ("POST", "/api/auth/2fa/recovery-codes", None),
    ("POST", "/api/auth/2fa/disable", {"password": PASSWORD}),
    ("POST", "/api/auth/passkeys/setup", None),
    ("POST", "/api/auth/passkeys/verify", {"name": "Phone", "credential": "{}"}),
    ("POST", "/api/auth/logout", {"all": True}),
    ("PATCH", "/api/auth/me", {"name": "Another"}),
    ("GET", "/api/auth/me", None),
    ("POST", "/api/users", {"email": "ghost@example.com", "password": PASSWORD, "role": "admin"}),
    ("POST", "/api/invitations", {"email": "ghost@example.com", "role": "admin"}),
    ("POST", "/api/users/{id}/factor-recovery", None),
    ("POST", "/api/users/{id}/factor-recovery/approve", None),
]


async def end_all(who: SignedIn, _other: SignedIn) -> None:
    await who.client.post("/api/auth/logout", json={"all": True}, headers=who.headers())


async def end_this(who: SignedIn, _other: SignedIn) -> None:
    await who.client.post("/api/auth/logout", headers=who.headers())


async def be_demoted(who: SignedIn, other: SignedIn) -> None:
    await who.client.patch(
        f"/api/users/{who.user['id']}", json={"role": "viewer"}, headers=other.headers()
    )


async def be_locked(who: SignedIn, other: SignedIn) -> None:
    await who.client.post(f"/api/users/{who.user['id']}/lock", headers=other.headers())


@pytest.mark.parametrize("end", [end_all, end_this, be_demoted, be_locked])
async def test_whose_sign_in_was_ended_does_nothing_more(
    boss: SignedIn,
    make_user: SignIn,
    end: Callable[[SignedIn, SignedIn], Awaitable[None]],
):
    other = await make_user("other-boss@example.com", role="admin")
    ada = await make_user()
    await end(boss, other)

    for method, path, body in ACTS:
        answer = await boss.client.request(
            method, path.format(id=ada.user["id"]), json=body, headers=boss.headers()
        )

        assert_problem(answer, Unauthorized)


async def test_a_revoked_api_key_does_nothing_more(client: httpx.AsyncClient, boss: SignedIn):
    body = {"name": "Till", "scopes": ["inventory:read"]}
    key = (await client.post("/api/auth/api-keys", json=body, headers=boss.headers())).json()
    gateway = service_headers("gateway", "api_keys:exchange", target="auth")
    exchanged = await client.post(
        "/internal/api-keys/exchange", json={"key": key["key"]}, headers=gateway
    )
    token = {"Authorization": f"Bearer {exchanged.json()['access_token']}"}
    assert (await client.get("/api/auth/me", headers=token)).status_code == 200

    await client.delete(f"/api/auth/api-keys/{key['id']}", headers=boss.headers())

    assert_problem(await client.get("/api/auth/me", headers=token), Unauthorized)


async def test_an_enrolment_token_from_before_another_role_is_good_no_more(
    client: httpx.AsyncClient, boss: SignedIn
):
    body = {"email": "new@example.com", "password": PASSWORD, "role": "admin"}
    made = await client.post(
        "/api/users", json=body | {"password_change_required": False}, headers=boss.headers()
    )
    log_in = {"email": "new@example.com", "password": PASSWORD, "tenant": boss.tenant}
    begun = (await client.post("/api/auth/login", json=log_in)).json()["enrolment_token"]
    assert claims_of(begun)["sub"] == made.json()["id"]
    await client.patch(
        f"/api/users/{made.json()['id']}", json={"role": "viewer"}, headers=boss.headers()
    )

    headers = {"Authorization": f"Bearer {begun}"}

    assert_problem(await client.post("/api/auth/2fa/setup", headers=headers), Unauthorized)
