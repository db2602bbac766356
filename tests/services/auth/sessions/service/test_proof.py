"""A proof counts for the account as it is once it is held, not as it was when hashing began."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.auth.factors.errors import TwoFactorCodeWrong
from services.auth.sessions.errors import InvalidCredentials, PasswordWrong
from tests.services.auth.people import PASSWORD, Halt, SignedIn, SignIn, enrol
from tests.services.auth.post import PostOffice
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

NEW = "marmalade fence quartet 9"
OTHER = "thimble saxophone gravel 3"


async def log_in(who: SignedIn, password: str, **more: str) -> httpx.Response:
    body = {"email": who.email, "password": password, "tenant": who.tenant, **more}
    return await who.client.post("/api/auth/login", json=body)


async def reset(who: SignedIn, post: PostOffice) -> None:
    body = {"email": who.email, "tenant": who.tenant}
    await who.client.post("/api/auth/forgot-password", json=body)
    token = await post.token_to(who.email)
    answer = await who.client.post(
        "/api/auth/reset-password", json={"token": token, "new_password": NEW}
    )
    assert answer.status_code == 204, answer.text


def halted_at(app: FastAPI, monkeypatch: pytest.MonkeyPatch, step: str) -> Halt:
    """Halt whoever next has his password verified, or hashed, once that is done."""
    passwords, halt = app.state.resources.own.passwords, Halt()
    done = getattr(passwords, step)

    async def and_halt(*given: Any) -> Any:
        result = await done(*given)
        await halt.here()
        return result

    monkeypatch.setattr(passwords, step, and_halt)
    return halt


@pytest.fixture
def verified(app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> Halt:
    """Halt whoever next had a password verified."""
    assert client
    return halted_at(app, monkeypatch, "verify")


@pytest.mark.parametrize(
    ("path", "body"),
    [("step-up", {"password": PASSWORD}), ("2fa/disable", {"password": PASSWORD}),
     ("change-password", {"current_password": PASSWORD, "new_password": OTHER})],
)  # fmt: skip
async def test_a_password_that_was_reset_meanwhile_is_wrong(
    make_user: SignIn, post: PostOffice, verified: Halt, path: str, body: dict[str, str]
):
    ada = await make_user()
    code = {"code": (await enrol(ada)).code()} if path == "2fa/disable" else {}
    verified.arm()
    thief = asyncio.create_task(
        ada.client.post(f"/api/auth/{path}", json=body | code, headers=ada.headers())
    )
    await verified.reached.wait()
    await reset(ada, post)

    verified.go_on()

    assert_problem(await thief, PasswordWrong)
    assert_problem(await log_in(ada, OTHER), InvalidCredentials)
    let_in = await log_in(ada, NEW)
    assert let_in.status_code == (401 if code else 200)  # The factor is there still.


async def test_a_sign_in_with_the_password_before_a_change_gives_no_session(
    make_user: SignIn, verified: Halt
):
    ada = await make_user()
    verified.arm()
    late = asyncio.create_task(log_in(ada, PASSWORD))
    await verified.reached.wait()
    changed = await ada.client.post(
        "/api/auth/change-password",
        json={"current_password": PASSWORD, "new_password": NEW},
        headers=ada.headers(),
    )
    assert changed.status_code == 200

    verified.go_on()

    assert_problem(await late, InvalidCredentials)


async def test_a_sign_in_from_before_all_sessions_were_ended_gives_none(
    make_user: SignIn, verified: Halt
):
    ada = await make_user()
    verified.arm()
    late = asyncio.create_task(log_in(ada, PASSWORD))
    await verified.reached.wait()
    await ada.client.post("/api/auth/logout", json={"all": True}, headers=ada.headers())

    verified.go_on()

    assert_problem(await late, InvalidCredentials)


async def test_renewing_a_hash_does_not_bring_an_old_password_back(
    app: FastAPI, make_user: SignIn, post: PostOffice, monkeypatch: pytest.MonkeyPatch
):
    ada = await make_user()
    hashed = halted_at(app, monkeypatch, "hash")
    passwords = app.state.resources.own.passwords
    monkeypatch.setattr(passwords, "is_outdated", lambda _: True)
    hashed.arm()
    late = asyncio.create_task(log_in(ada, PASSWORD))
    await hashed.reached.wait()
    await reset(ada, post)

    hashed.go_on()

    assert_problem(await late, InvalidCredentials)
    assert_problem(await log_in(ada, PASSWORD), InvalidCredentials)
    assert (await log_in(ada, NEW)).status_code == 200


async def test_a_code_of_an_authenticator_that_was_replaced_meanwhile_is_wrong(
    make_user: SignIn, verified: Halt
):
    ada = await make_user()
    lost = await enrol(ada)
    verified.arm()
    late = asyncio.create_task(log_in(ada, PASSWORD, code=lost.code()))
    await verified.reached.wait()
    await enrol(ada)

    verified.go_on()

    assert_problem(await late, TwoFactorCodeWrong)
