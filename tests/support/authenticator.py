"""A person's authenticator, and how a client gets through a sign-in that asks for one."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pyotp

STEP_S = 30


class Authenticator:
    """Shows codes as an app does, and never the same twice: each is good once."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._last_step = 0

    def code(self, now: float | None = None) -> str:
        """Return the next code that counts, from the earliest step that the service takes."""
        present = int(now or time.time()) // STEP_S
        self._last_step = max(self._last_step + 1, present - 1)
        return self._totp.generate_otp(self._last_step)

    def has_lapsed(self, now: float | None = None) -> bool:
        """Say whether the last code counts no more: it may have been long under way."""
        return self._last_step < int(now or time.time()) // STEP_S - 1


class Authenticators:
    """The authenticators of everybody in a test, by tenant and address."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Authenticator] = {}
        self._passwords: dict[tuple[str, str], str] = {}  # Of those who had to choose another.

    def code_of(self, credentials: dict[str, Any]) -> str:
        """Return the next code of somebody who has enrolled."""
        return self._known[_whose(credentials)].code()

    async def sign_in(
        self, client: httpx.AsyncClient, credentials: dict[str, Any], now: float | None = None
    ) -> httpx.Response:
        """Sign in, with a code where one is asked for, and enrolling where that comes first."""
        whose = _whose(credentials)
        if whose in self._passwords:
            credentials = credentials | {"password": self._passwords[whose]}
        response = await client.post("/api/auth/login", json=credentials)
        if response.status_code == 401 and response.json()["code"] == "two_factor_required":
            own = self._known[whose]
            send = partial(client.post, "/api/auth/login")
            return await _with_code(send, own, now, credentials)
        if response.status_code == 200 and response.json().get("password_change_required"):
            headers = {"Authorization": f"Bearer {response.json()['enrolment_token']}"}
            self._passwords[whose] = f"{credentials['password']}, my own"
            body = {
                "current_password": credentials["password"],
                "new_password": self._passwords[whose],
            }
            response = await client.post("/api/auth/change-password", json=body, headers=headers)
            assert response.status_code == 200, response.text
        if response.status_code == 200 and response.json().get("enrolment_required"):
            headers = {"Authorization": f"Bearer {response.json()['enrolment_token']}"}
            setup = await client.post("/api/auth/2fa/setup", headers=headers)
            assert setup.status_code == 200, setup.text
            own = self._known[whose] = Authenticator(setup.json()["secret"])
            send = partial(client.post, "/api/auth/2fa/verify", headers=headers)
            return await _with_code(send, own, now, {})
        return response


async def _with_code(
    send: Callable[..., Awaitable[httpx.Response]],
    own: Authenticator,
    now: float | None,
    body: dict[str, Any],
) -> httpx.Response:
    """Send a body with a code; with the next one, if that lapsed on its way."""
    answer = await send(json=body | {"code": own.code(now)})
    if answer.is_client_error and own.has_lapsed(now):
        answer = await send(json=body | {"code": own.code(now)})
    return answer


def _whose(credentials: dict[str, Any]) -> tuple[str, str]:
    return credentials.get("tenant", "default"), credentials["email"].casefold()
