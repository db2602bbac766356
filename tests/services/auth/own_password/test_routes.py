import httpx
import pytest

from services.auth.own_password.errors import PasswordUnchanged
from services.auth.passwords.errors import PasswordCommon, PasswordTooShort
from services.auth.sessions.errors import (
    InvalidCredentials,
    PasswordWrong,
    RefreshInvalid,
    TooManySignIns,
)
from shared.errors import Unauthorized
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

NEW = "marmalade fence quartet 9"


async def change(
    client: httpx.AsyncClient, token: str, current: str = PASSWORD, new: str = NEW
) -> httpx.Response:
    return await client.post(
        "/api/auth/change-password",
        json={"current_password": current, "new_password": new},
        headers={"Authorization": f"Bearer {token}"},
    )


async def log_in(who: SignedIn, password: str) -> httpx.Response:
    body = {"email": who.email, "password": password, "tenant": who.tenant}
    return await who.client.post("/api/auth/login", json=body)


@pytest.mark.asvs("A11")
async def test_all_other_sessions_end_and_this_one_gets_new_tokens(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada = await make_user()
    other = await sign_in(ada.email, tenant=ada.tenant)

    changed = await change(client, ada.access_token)

    assert changed.status_code == 200
    assert changed.headers["cache-control"] == "no-store"
    before, after = claims_of(ada.access_token), claims_of(changed.json()["access_token"])
    assert after["sid"] == before["sid"]
    headers = service_headers("gateway", "revocations:read", target="auth")
    told = (await client.get("/internal/revocations", headers=headers)).json()
    assert before["ver"] < told["versions"][before["sub"]] <= after["ver"]
    assert claims_of(other.access_token)["sid"] in told["sessions"]
    ended = await client.post("/api/auth/refresh", json={"refresh_token": other.refresh_token})
    assert_problem(ended, RefreshInvalid)
    token = {"refresh_token": changed.json()["refresh_token"]}
    assert (await client.post("/api/auth/refresh", json=token)).status_code == 200
    assert_problem(await log_in(ada, PASSWORD), InvalidCredentials)
    assert (await log_in(ada, NEW)).status_code == 200


@pytest.mark.asvs("A11")
async def test_the_present_password_is_needed_and_tries_of_it_are_counted(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user()

    answers = [await change(client, ada.access_token, current=f"wrong {n}") for n in range(12)]

    assert_problem(answers[0], PasswordWrong)
    assert answers[0].json()["detail"] == PasswordWrong.detail  # Of no address.
    assert_problem(answers[-1], TooManySignIns)
    assert_problem(await change(client, ada.access_token), TooManySignIns)


@pytest.mark.parametrize(
    ("new", "kind"),
    [(PASSWORD, PasswordUnchanged), ("short", PasswordTooShort), ("password1234", PasswordCommon),
     ("ada@example.com", PasswordCommon)],
)  # fmt: skip
async def test_a_new_password_is_held_to_the_rules(
    client: httpx.AsyncClient, make_user: SignIn, new: str, kind: type
):
    ada = await make_user()

    assert_problem(await change(client, ada.access_token, new=new), kind)
    assert (await log_in(ada, PASSWORD)).status_code == 200


@pytest.mark.asvs("A09")
async def test_a_password_that_somebody_else_chose_must_be_changed_first(
    client: httpx.AsyncClient, boss: SignedIn
):
    body = {"email": "new@example.com", "password": PASSWORD, "role": "clerk"}
    await client.post("/api/users", json=body, headers=boss.headers())
    new = SignedIn(client, body["email"], boss.tenant, "", "", {})

    first = (await log_in(new, PASSWORD)).json()

    assert (first["password_change_required"], first["enrolment_required"]) == (True, False)
    assert "access_token" not in first
    token = first["enrolment_token"]
    assert_problem(
        await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}), Unauthorized
    )
    changed = (await change(client, token)).json()
    assert claims_of(changed["access_token"])["amr"] == ["pwd"]
    assert_problem(await change(client, token, current=NEW, new=PASSWORD), Unauthorized)
    assert "access_token" in (await log_in(new, NEW)).json()


async def test_a_new_administrator_chooses_a_password_then_sets_a_factor_up(
    client: httpx.AsyncClient, boss: SignedIn
):
    body = {"email": "new@example.com", "password": PASSWORD, "role": "admin"}
    await client.post("/api/users", json=body, headers=boss.headers())
    new = SignedIn(client, body["email"], boss.tenant, "", "", {})

    first = (await log_in(new, PASSWORD)).json()
    then = (await change(client, first["enrolment_token"])).json()

    assert (first["password_change_required"], first["enrolment_required"]) == (True, True)
    assert (then["password_change_required"], then["enrolment_required"]) == (False, True)
    headers = {"Authorization": f"Bearer {then['enrolment_token']}"}
    assert (await client.post("/api/auth/2fa/setup", headers=headers)).status_code == 200
    old = {"Authorization": f"Bearer {first['enrolment_token']}"}
    assert_problem(await client.post("/api/auth/2fa/setup", headers=old), Unauthorized)
