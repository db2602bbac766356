"""Keys of machines, exchanged at auth for the short access tokens that services know.

A key is kept as its SHA-256 alone, with the token that it gave, until half a minute before that
ends; what is no key, for a few seconds. A revoked key's token is refused like that of an ended
session, since its `sid` is the key's id.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from gateway.errors import ApiKeyRefused, SignInAway
from shared.errors import Problem
from shared.http import ServiceClient

PATH: Final = "/internal/api-keys/exchange"
RENEWAL_MARGIN_S: Final = 30.0
REFUSED_S: Final = 10.0  # So long is what is no key refused without asking again.
KNOWN_MAX: Final = 10_000
ASKING_MAX: Final = 32  # Exchanges at a time; who guesses keys waits no longer than others.
TIMEOUT_S: Final = 5.0

_FORM: Final = re.compile(r"ik_[A-Za-z0-9_-]{86}")
_UNAUTHORIZED: Final = 401


@dataclass(slots=True)
class _Known:
    """What a key gave, an empty text where it is none, and until when that is taken for true."""

    token: str
    until: float


class ApiKeys:
    """Gives the access token of a key."""

    def __init__(
        self, client: ServiceClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._asking: dict[bytes, asyncio.Task[_Known]] = {}

    async def token_of(self, key: str) -> str:
        """Return the access token of a key. Raises ApiKeyRefused, SignInAway."""
        if not _FORM.fullmatch(key):
            raise ApiKeyRefused
        digest = hashlib.sha256(key.encode()).digest()
        known = self._known.get(digest)
        if known is None or known.until <= self._clock():
            known = await asyncio.shield(self._start_asking(digest, key))
        if not known.token:
            raise ApiKeyRefused
        return known.token

    def forget(self, key: str) -> None:
        """Ask again for a key whose token is refused by now; it may give another."""
        self._known.pop(hashlib.sha256(key.encode()).digest(), None)

    def _start_asking(self, digest: bytes, key: str) -> asyncio.Task[_Known]:
        """Return the exchange that is under way for this key, or begin one. Raises SignInAway."""
        if digest not in self._asking:
            if len(self._asking) >= ASKING_MAX:
                raise SignInAway
            self._asking[digest] = asyncio.create_task(self._ask(digest, key))
        return self._asking[digest]

    async def _ask(self, digest: bytes, key: str) -> _Known:
        try:
            known = await self._exchange(key)
            self._known[digest] = known
            while len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]
            return known
        finally:
            del self._asking[digest]

    async def _exchange(self, key: str) -> _Known:
        asked_at = self._clock()
        try:
            given = await self._client.post_json("auth", PATH, {"key": key}, timeout_s=TIMEOUT_S)
            kept_s = max(given["expires_in"] - RENEWAL_MARGIN_S, 1.0)
            return _Known(given["access_token"], asked_at + kept_s)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != _UNAUTHORIZED:
                raise SignInAway from error
            return _Known("", asked_at + REFUSED_S)
        except (httpx.HTTPError, Problem, LookupError, TypeError, ValueError) as error:
            raise SignInAway from error
