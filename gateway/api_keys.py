"""Keys of machines, exchanged at auth for the short access tokens that services know.

A key is kept as its SHA-256 alone, with the token that it gave, until half a minute before that
ends; what is no key, for a few seconds. A revoked key's token is refused like that of an ended
session, since its `sid` is the key's id.
"""

import asyncio
import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

import httpx

from gateway.errors import ApiKeyRefused, SignInAway
from shared.errors import Problem
from shared.http import ServiceClient

PATH: Final = "/internal/api-keys/exchange"
RENEWAL_MARGIN_S: Final = 30.0
REFUSED_S: Final = 10.0  # So long is what is no key refused without asking again.
KNOWN_MAX: Final = 10_000  # And so many that are none.
ASKING_MAX: Final = 64  # Exchanges at a time,
ASKING_SHARE: Final = 16  # and for one network: who guesses keys keeps nobody else out.
TIMEOUT_S: Final = 5.0

_FORM: Final = re.compile(r"ik_[A-Za-z0-9_-]{86}")
_UNAUTHORIZED: Final = 401


class _Known(NamedTuple):
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
        # Apart, so that no number of made-up keys pushes a good one out.
        self._good: dict[bytes, _Known] = {}
        self._refused: dict[bytes, _Known] = {}
        self._asking: dict[bytes, asyncio.Task[_Known]] = {}
        self._askers = Counter[bytes]()  # Networks, by how much is asked for each.

    def find_token(self, key: str) -> str | None:
        """Return the access token of a key that is known; None if auth has to be asked.

        Raises ApiKeyRefused.
        """
        known = self._find(_digest(key))
        return None if known is None else _token_in(known)

    async def token_of(self, key: str, network: bytes) -> str:
        """Return the access token of a key that came from a network.

        Raises ApiKeyRefused, SignInAway.
        """
        digest = _digest(key)
        known = self._find(digest)
        if known is None:
            known = await asyncio.shield(self._start_asking(digest, key, network))
        return _token_in(known)

    def forget(self, key: str) -> None:
        """Ask again for a key whose token is refused by now; it may give another."""
        self._good.pop(_digest(key), None)

    def _find(self, digest: bytes) -> _Known | None:
        known = self._good.get(digest) or self._refused.get(digest)
        return known if known is not None and known.until > self._clock() else None

    def _start_asking(self, digest: bytes, key: str, network: bytes) -> asyncio.Task[_Known]:
        """Return the exchange that is under way for this key, or begin one. Raises SignInAway."""
        if digest not in self._asking:
            if len(self._asking) >= ASKING_MAX or self._askers[network] >= ASKING_SHARE:
                raise SignInAway
            self._askers[network] += 1
            self._asking[digest] = asyncio.create_task(self._ask(digest, key, network))
        return self._asking[digest]

    async def _ask(self, digest: bytes, key: str, network: bytes) -> _Known:
        try:
            known = await self._exchange(key)
            self._good.pop(digest, None)  # What it gave before is over, whatever it gives now.
            self._refused.pop(digest, None)
            kept = self._good if known.token else self._refused
            kept[digest] = known
            while len(kept) > KNOWN_MAX:
                del kept[next(iter(kept))]
            return known
        finally:
            del self._asking[digest]
            self._askers[network] -= 1
            if not self._askers[network]:
                del self._askers[network]

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


def _digest(key: str) -> bytes:
    """Return what a key is known by. Raises ApiKeyRefused for what is not written as one."""
    if not _FORM.fullmatch(key):
        raise ApiKeyRefused
    return hashlib.sha256(key.encode()).digest()


def _token_in(known: _Known) -> str:
    if not known.token:
        raise ApiKeyRefused
    return known.token
