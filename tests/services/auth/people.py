"""Who the tests of auth are about, and the time they live in."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx

from shared.clock import utc_now
from tests.support.authenticator import Authenticator
from tests.support.database import Databases

ADMIN_EMAIL = "root@example.com"
ADMIN_PASSWORD = "Plinth-Otter-Marzipan"
PASSWORD = "gravel umbrella sonnet 7"
CLIENT_SECRET = "5e" * 32


class Clock:
    """The time that the app goes by; tests move it on."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self._stopped_at or utc_now()) + self.ahead

    def stop(self) -> None:
        """Let all that follows happen at one time, however busy the machine is."""
        self._stopped_at = utc_now()

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class Halt:
    """A point of the app where the next who comes halts, once armed, until the test lets him on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()
        self._is_armed = False

    def arm(self) -> None:
        self._is_armed = True

    def go_on(self) -> None:
        self._open.set()

    async def here(self) -> None:
        if self._is_armed:
            self._is_armed = False
            self.reached.set()
            await self._open.wait()


@dataclass
class SignedIn:
    """Somebody with a session."""

    client: httpx.AsyncClient
    email: str
    tenant: str
    access_token: str
    refresh_token: str
    user: dict[str, Any]

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}", **more}


SignIn = Callable[..., Awaitable[SignedIn]]


def claims_of(token: str) -> dict[str, Any]:
    """Read an access token's claims without verifying it."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


async def enrol(who: SignedIn) -> Authenticator:
    """Set an authenticator up for somebody who is signed in."""
    setup = await who.client.post("/api/auth/2fa/setup", headers=who.headers())
    own = Authenticator(setup.json()["secret"])
    body = {"code": own.code()}
    done = await who.client.post("/api/auth/2fa/verify", json=body, headers=who.headers())
    assert done.status_code == 200, done.text
    return own


async def with_old_proof(who: SignedIn, databases: Databases) -> SignedIn:
    """Return the same person, who last proved who he is eleven minutes ago."""
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "UPDATE auth.sessions SET proved_at = proved_at - interval '11 min' WHERE id = $1",
        claims_of(who.access_token)["sid"],
    )
    await connection.close()
    body = {"refresh_token": who.refresh_token}
    tokens = (await who.client.post("/api/auth/refresh", json=body)).json()
    return replace(who, access_token=tokens["access_token"], refresh_token=tokens["refresh_token"])
