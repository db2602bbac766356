"""What is told to an account's owner by mail, seen from his letterbox."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.services.auth.people import PASSWORD, SignedIn, SignIn
from tests.services.auth.post import PostOffice
from tests.support.authenticator import Authenticator

pytestmark = pytest.mark.stack

NEW = "marmalade fence quartet 9"
MakeTenant = Callable[..., Awaitable[SignedIn]]


async def do(who: SignedIn, path: str, **body: Any) -> dict[str, Any]:
    answer = await who.client.post(path, json=body or None, headers=who.headers())
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


async def enrol(who: SignedIn) -> tuple[Authenticator, list[str]]:
    own = Authenticator((await do(who, "/api/auth/2fa/setup"))["secret"])
    done = await do(who, "/api/auth/2fa/verify", code=own.code())
    return own, done["recovery_codes"]


async def log_in(who: SignedIn, code: str) -> httpx.Response:
    body = {"email": who.email, "tenant": who.tenant, "password": PASSWORD, "code": code}
    return await who.client.post("/api/auth/login", json=body)


async def subjects(post: PostOffice, who: SignedIn) -> list[str]:
    return [mail["Subject"] for mail in await post.to(who.email)]


@pytest.mark.asvs("B07")
async def test_whatever_happens_to_factors_and_password_is_told(
    make_user: SignIn, post: PostOffice
):
    ada = await make_user("ada.told@example.com")
    own, codes = await enrol(ada)
    assert await subjects(post, ada) == ["A second factor was set up"]

    assert (await log_in(ada, codes[0])).status_code == 200
    await do(ada, "/api/auth/2fa/recovery-codes")
    await do(ada, "/api/auth/2fa/disable", password=PASSWORD, code=own.code())
    await do(ada, "/api/auth/change-password", current_password=PASSWORD, new_password=NEW)

    assert await subjects(post, ada) == [
        "A second factor was set up",
        "A recovery code was used",
        "New recovery codes",
        "A second factor was removed",
        "Your password was changed",
    ]


async def test_what_is_told_holds_no_secret_and_says_what_to_do(
    make_user: SignIn, post: PostOffice
):
    ada = await make_user("ada.secret@example.com")
    _, codes = await enrol(ada)
    await log_in(ada, codes[0])

    for mail in await post.to(ada.email):
        text = mail.get_content()
        assert not [code for code in codes if code in text]
        assert "Acme" in text
        assert "If it was not you" in text


async def test_what_is_refused_is_not_told(make_user: SignIn, post: PostOffice):
    ada = await make_user("ada.refused@example.com")
    await do(ada, "/api/auth/2fa/setup")

    wrong = await ada.client.post(
        "/api/auth/2fa/verify", json={"code": "000000"}, headers=ada.headers()
    )

    assert wrong.status_code == 401
    assert await subjects(post, ada) == []


async def test_who_is_locked_is_told_in_his_language(
    boss: SignedIn, make_user: SignIn, post: PostOffice
):
    ada = await make_user("ada.locked@example.com", language="fr")

    await do(boss, f"/api/users/{ada.user['id']}/lock")
    await do(boss, f"/api/users/{ada.user['id']}/lock")

    (mail,) = await post.to(ada.email)
    assert mail["Content-Language"] == "fr"
    assert "verrouillé" in mail["Subject"]


async def test_whose_account_is_closed_is_told(boss: SignedIn, make_user: SignIn, post: PostOffice):
    ada = await make_user("ada.closed@example.com")

    await do(boss, f"/api/users/{ada.user['id']}/deactivate", reason="left")

    assert await subjects(post, ada) == ["Your account was closed"]


async def test_a_withdrawn_invitation_is_no_lock_to_tell_of(boss: SignedIn, post: PostOffice):
    invited = await do(boss, "/api/invitations", email="eve.invited@example.com", role="clerk")
    path = f"/api/invitations/{invited['user']['id']}"

    assert (await boss.client.delete(path, headers=boss.headers())).status_code == 204

    assert len(await post.to("eve.invited@example.com")) == 1  # The invitation itself.
