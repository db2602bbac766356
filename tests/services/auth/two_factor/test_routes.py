"""Second factors as a client meets them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.factors.errors import (
    TwoFactorCodeWrong,
    TwoFactorCompulsory,
    TwoFactorNotSetUp,
    TwoFactorRequired,
)
from services.auth.sessions.errors import SignInIncomplete, TooManySignIns
from shared.clock import utc_now
from shared.errors import StepUpRequired, Unauthorized
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn, claims_of
from tests.support.authenticator import Authenticator
from tests.support.database import Databases
from tests.support.services import assert_problem

MakeTenant = Callable[..., Awaitable[SignedIn]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def credentials(who: SignedIn, **more: Any) -> dict[str, Any]:
    return {"email": who.email, "password": PASSWORD, "tenant": who.tenant, **more}


async def log_in(who: SignedIn, **more: Any) -> httpx.Response:
    return await who.client.post("/api/auth/login", json=credentials(who, **more))


async def enrol(who: SignedIn, token: str | None = None) -> tuple[Authenticator, httpx.Response]:
    """Set an authenticator up; return it, and the answer to its first code."""
    headers = bearer(token or who.access_token)
    setup = await who.client.post("/api/auth/2fa/setup", headers=headers)
    assert setup.status_code == 200, setup.text
    own = Authenticator(setup.json()["secret"])
    done = await who.client.post("/api/auth/2fa/verify", json={"code": own.code()}, headers=headers)
    assert done.status_code == 200, done.text
    return own, done


@pytest.fixture
async def new_boss(boss: SignedIn) -> SignedIn:
    """An administrator whom another one made: he never signed in."""
    body = {
        "email": "new@example.com",
        "password": PASSWORD,
        "role": "admin",
        "password_change_required": False,
    }
    made = await boss.client.post("/api/users", json=body, headers=boss.headers())
    assert made.status_code == 201
    return SignedIn(boss.client, "new@example.com", boss.tenant, "", "", made.json())


async def test_a_setup_shows_the_secret_as_text_and_as_a_picture(make_user: SignIn):
    ada = await make_user()

    setup = await ada.client.post("/api/auth/2fa/setup", headers=ada.headers())

    shown = setup.json()
    assert setup.headers["cache-control"] == "no-store"
    assert f"secret={shown['secret']}" in shown["otpauth_uri"]
    assert "ada%40example.com" in shown["otpauth_uri"]
    assert shown["qr_svg"].startswith("<svg")
    assert "script" not in shown["qr_svg"]


async def test_a_code_confirms_and_from_then_on_a_sign_in_asks_for_one(make_user: SignIn):
    ada = await make_user()
    own, done = await enrol(ada)

    assert done.json()["enabled"] is True
    assert len(set(done.json()["recovery_codes"])) == 10
    assert "access_token" not in done.json()
    without = await log_in(ada)
    assert_problem(without, TwoFactorRequired, methods=["otp", "recovery"])
    signed_in = await log_in(ada, code=own.code())
    assert claims_of(signed_in.json()["access_token"])["amr"] == ["pwd", "otp"]
    state = await ada.client.get("/api/auth/2fa", headers=ada.headers())
    assert state.json() == {"enabled": True, "required": False, "recovery_codes_left": 10}


async def test_nothing_is_asked_for_before_the_first_code(make_user: SignIn):
    ada = await make_user()
    await ada.client.post("/api/auth/2fa/setup", headers=ada.headers())

    wrong = await ada.client.post(
        "/api/auth/2fa/verify", json={"code": "000000"}, headers=ada.headers()
    )

    assert_problem(wrong, TwoFactorCodeWrong)
    assert (await log_in(ada)).status_code == 200


async def test_verify_without_a_setup_is_refused(make_user: SignIn):
    ada = await make_user()

    answer = await ada.client.post(
        "/api/auth/2fa/verify", json={"code": "123456"}, headers=ada.headers()
    )

    assert_problem(answer, TwoFactorNotSetUp)


@pytest.mark.asvs("B01")
async def test_a_code_is_good_once_also_for_many_at_once(make_user: SignIn):
    ada = await make_user()
    own, _ = await enrol(ada)

    code = own.code()
    answers = await asyncio.gather(*(log_in(ada, code=code) for _ in range(8)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {401, 429}
    assert (await log_in(ada, code=code)).status_code in {401, 429}


@pytest.mark.asvs("B07")
async def test_a_recovery_code_is_good_once_also_for_many_at_once(
    make_user: SignIn, databases: Databases, clock: Clock
):
    ada = await make_user()
    _, done = await enrol(ada)
    first, second, *_ = done.json()["recovery_codes"]

    answers = await asyncio.gather(*(log_in(ada, code=first) for _ in range(6)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {401, 429}
    clock.advance(minutes=61)
    assert (await log_in(ada, code=second.lower())).status_code == 200
    renewed = await ada.client.post("/api/auth/2fa/recovery-codes", headers=ada.headers())
    third = done.json()["recovery_codes"][2]
    assert_problem(await log_in(ada, code=third), TwoFactorCodeWrong)
    assert (await log_in(ada, code=renewed.json()["recovery_codes"][0])).status_code == 200
    connection = await asyncpg.connect(databases.superuser_dsn)
    types = await connection.fetch(
        "SELECT type FROM auth.journal WHERE subject = $1 ORDER BY seq", f"user:{ada.user['id']}"
    )
    await connection.close()
    told = [row["type"] for row in types]
    assert told.count("auth.recovery-code-used.v1") == 3
    assert told.count("auth.recovery-codes-replaced.v1") == 2


@pytest.mark.asvs("B03")
async def test_wrong_codes_are_counted_for_the_user_over_all_sign_ins(make_user: SignIn):
    ada = await make_user()
    own, _ = await enrol(ada)

    answers = await asyncio.gather(*(log_in(ada, code=f"{n:06}") for n in range(40)))

    verified = [a for a in answers if a.json()["code"] == "two_factor_code_wrong"]
    assert 1 <= len(verified) <= 10
    assert_problem(await log_in(ada, code=own.code()), TooManySignIns)


@pytest.mark.asvs("B04")
async def test_an_administrator_without_a_factor_gets_a_token_for_enrolment_alone(
    client: httpx.AsyncClient, new_boss: SignedIn
):
    answer = (await log_in(new_boss)).json()

    assert (answer["enrolment_required"], answer["password_change_required"]) == (True, False)
    assert "access_token" not in answer
    token = answer["enrolment_token"]
    document = (await client.get("/openapi.json")).json()
    enrolling = {
        ("post", "/api/auth/2fa/setup"), ("post", "/api/auth/2fa/verify"),
        ("post", "/api/auth/change-password"),
        ("post", "/api/auth/passkeys/setup"), ("post", "/api/auth/passkeys/verify"),
    }  # fmt: skip
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("security") or (method, path) in enrolling:
                continue
            url = re.sub(r"{\w+}", new_boss.user["id"], path)
            refused = await client.request(method, url, headers=bearer(token), json={})
            assert refused.status_code == 401, (method, path, refused.text)
            tried += 1
    assert tried > 10
    _, done = await enrol(new_boss, token)
    claims = claims_of(done.json()["access_token"])
    assert claims["amr"] == ["pwd", "otp"]
    assert (claims["role"], done.json()["user"]["role"]) == ("admin", "admin")
    again = await client.post("/api/auth/2fa/setup", headers=bearer(token))
    assert_problem(again, Unauthorized)
    usable = await client.get("/api/users", headers=bearer(done.json()["access_token"]))
    assert usable.status_code == 200


@pytest.mark.asvs("C04")
async def test_an_access_token_of_another_kind_is_none(client: httpx.AsyncClient, boss: SignedIn):
    for token in (boss.refresh_token, boss.access_token[:-2]):
        assert_problem(
            await client.post("/api/auth/2fa/setup", headers=bearer(token)), Unauthorized
        )


@pytest.mark.asvs("B05")
async def test_a_recovery_code_lets_an_administrator_enrol_anew_and_nothing_else(
    new_boss: SignedIn,
):
    token = (await log_in(new_boss)).json()["enrolment_token"]
    _, done = await enrol(new_boss, token)
    code = done.json()["recovery_codes"][0]

    answer = (await log_in(new_boss, code=code)).json()

    assert "access_token" not in answer
    own, done = await enrol(new_boss, answer["enrolment_token"])
    assert "otp" in claims_of(done.json()["access_token"])["amr"]
    assert (await log_in(new_boss, code=own.code())).status_code == 200


@pytest.mark.asvs("B05", "B06")
async def test_a_promotion_to_administrator_ends_sessions_without_a_factor(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user()
    path = f"/api/users/{ada.user['id']}"
    await client.patch(path, json={"role": "admin"}, headers=boss.headers())

    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": ada.refresh_token})

    assert_problem(refreshed, SignInIncomplete, todo=["factor"])
    assert (await log_in(ada)).json()["enrolment_required"] is True


@pytest.mark.parametrize(
    "code", ["é12345", "\uff11\uff12\uff13\uff14\uff15\uff16", "١٢٣٤٥٦", "🙂🙂🙂🙂🙂🙂"]
)
async def test_a_code_in_other_letters_is_a_wrong_one_everywhere(make_user: SignIn, code: str):
    ada = await make_user()
    await ada.client.post("/api/auth/2fa/setup", headers=ada.headers())
    body = {"code": code}

    first = await ada.client.post("/api/auth/2fa/verify", json=body, headers=ada.headers())

    assert_problem(first, TwoFactorCodeWrong)
    await enrol(ada)
    assert_problem(await log_in(ada, **body), TwoFactorCodeWrong)
    body |= {"password": PASSWORD}
    for path in ("step-up", "2fa/disable"):
        again = await ada.client.post(f"/api/auth/{path}", json=body, headers=ada.headers())
        assert_problem(again, TwoFactorCodeWrong)


async def test_administrators_cannot_go_without(client: httpx.AsyncClient, boss: SignedIn):
    body = {"password": PASSWORD, "code": "000000"}

    answer = await client.post("/api/auth/2fa/disable", json=body, headers=boss.headers())

    assert_problem(answer, TwoFactorCompulsory)


async def test_disabling_asks_for_password_and_code(client: httpx.AsyncClient, make_user: SignIn):
    ada = await make_user()
    own, _ = await enrol(ada)

    async def disable(**body: str) -> httpx.Response:
        return await client.post("/api/auth/2fa/disable", json=body, headers=ada.headers())

    assert_problem(await disable(password=PASSWORD), TwoFactorRequired)
    assert_problem(await disable(password=PASSWORD, code="000000"), TwoFactorCodeWrong)
    assert (await disable(password="wrong", code=own.code())).status_code == 401
    assert (await disable(password=PASSWORD, code=own.code())).status_code == 204
    assert (await log_in(ada)).status_code == 200
    assert_problem(await disable(password=PASSWORD, code="000000"), TwoFactorNotSetUp)


@pytest.mark.asvs("B09")
async def test_an_old_proof_does_not_do_for_dangerous_acts_until_it_is_renewed(
    client: httpx.AsyncClient, make_user: SignIn, databases: Databases
):
    ada = await make_user()
    session_id = claims_of(ada.access_token)["sid"]
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "UPDATE auth.sessions SET proved_at = proved_at - interval '11 min' WHERE id = $1",
        session_id,
    )
    await connection.close()
    body = {"refresh_token": ada.refresh_token}
    old = (await client.post("/api/auth/refresh", json=body)).json()["access_token"]

    refused = await client.post("/api/auth/2fa/setup", headers=bearer(old))
    assert_problem(refused, StepUpRequired)
    wrong = {"password": "not this"}
    assert (
        await client.post("/api/auth/step-up", json=wrong, headers=bearer(old))
    ).status_code == 401
    stepped = await client.post(
        "/api/auth/step-up", json={"password": PASSWORD}, headers=bearer(old)
    )

    assert stepped.json().keys() == {"access_token", "token_type", "expires_in"}
    fresh = stepped.json()["access_token"]
    assert claims_of(fresh)["sid"] == session_id
    allowed = await client.post("/api/auth/2fa/setup", headers=bearer(fresh))
    assert allowed.status_code == 200


async def test_a_step_up_asks_for_the_code_of_who_has_one(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user()
    own, _ = await enrol(ada)
    body = {"password": PASSWORD}

    without = await client.post("/api/auth/step-up", json=body, headers=ada.headers())
    stepped = await client.post(
        "/api/auth/step-up", json=body | {"code": own.code()}, headers=ada.headers()
    )

    assert_problem(without, TwoFactorRequired)
    assert claims_of(stepped.json()["access_token"])["amr"] == ["otp", "pwd"]


@pytest.mark.asvs("B08")
async def test_a_secret_opens_for_its_own_user_alone(
    client: httpx.AsyncClient, make_user: SignIn, databases: Databases
):
    ada, bob = await make_user(), await make_user("bob@example.com")
    of_ada, _ = await enrol(ada)
    of_bob, _ = await enrol(bob)
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        """UPDATE auth.authenticators a SET secret_sealed = b.secret_sealed
        FROM auth.authenticators b WHERE a.user_id = $1 AND b.user_id = $2""",
        ada.user["id"],
        bob.user["id"],
    )
    await connection.close()

    swapped = await log_in(ada, code=of_bob.code())

    assert_problem(swapped, TwoFactorCodeWrong)
    assert_problem(await log_in(ada, code=of_ada.code()), TwoFactorCodeWrong)
    assert (await log_in(bob, code=of_bob.code())).status_code == 200


async def test_an_enrolment_token_ends(client: httpx.AsyncClient, new_boss: SignedIn, clock: Clock):
    clock.ahead = -timedelta(minutes=11)
    token = (await log_in(new_boss)).json()["enrolment_token"]

    assert claims_of(token)["exp"] < utc_now().timestamp()
    assert_problem(await client.post("/api/auth/2fa/setup", headers=bearer(token)), Unauthorized)
