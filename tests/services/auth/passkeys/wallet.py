"""What somebody with passkeys does, in few words for the tests."""

from typing import Any

import httpx

from tests.services.auth.people import PASSWORD, SignedIn
from tests.support.passkey import SoftPasskey


async def post(who: SignedIn, path: str, **body: Any) -> httpx.Response:
    return await who.client.post(path, json=body or None, headers=who.headers())


async def options_for_new(who: SignedIn) -> dict[str, Any]:
    answer = await post(who, "/api/auth/passkeys/setup")
    assert answer.status_code == 200, answer.text
    options: dict[str, Any] = answer.json()["options"]
    return options


async def register(who: SignedIn, passkey: SoftPasskey, name: str = "Phone") -> httpx.Response:
    credential = passkey.create(await options_for_new(who))
    return await post(who, "/api/auth/passkeys/verify", name=name, credential=credential)


async def add_passkey(who: SignedIn, name: str = "Phone") -> SoftPasskey:
    passkey = SoftPasskey()
    answer = await register(who, passkey, name)
    assert answer.status_code == 201, answer.text
    return passkey


async def log_in(who: SignedIn, **more: Any) -> httpx.Response:
    body = {"email": who.email, "password": PASSWORD, "tenant": who.tenant, **more}
    return await who.client.post("/api/auth/login", json=body)


async def options_to_sign_in(who: SignedIn) -> dict[str, Any]:
    """Give the right password and nothing else; return what a passkey is to sign."""
    answer = await log_in(who)
    assert answer.status_code == 401, answer.text
    options: dict[str, Any] = answer.json()["passkey"]
    return options


async def sign_in_with(who: SignedIn, passkey: SoftPasskey) -> httpx.Response:
    return await log_in(who, passkey=passkey.get(await options_to_sign_in(who)))
