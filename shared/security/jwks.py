"""Verification keys fetched from auth, for every process that verifies tokens."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httpx
import structlog
from jose.backends.base import Key

from shared.security.claims import InvalidToken
from shared.security.tokens import load_jwks

JWKS_PATH: Final = "/.well-known/jwks.json"
FETCH_INTERVAL_S: Final = 1.0  # At least this long between two fetches, whatever tokens arrive.
REFRESH_INTERVAL_S: Final = 60.0  # So that a withdrawn key is noticed.
FETCH_TIMEOUT_S: Final = 3.0
KEYS_MAX: Final = 16
DOCUMENT_LENGTH_MAX: Final = 65_536

log = structlog.get_logger()


class KeysUnavailable(Exception):
    """No key is known yet, and auth does not answer: nothing can be said about any token."""


class RemoteKeys:
    """Auth's published keys, kept in memory; the last good set stays while auth is away.

    An unknown `kid` asks auth again: one fetch at a time, and at most one a second.
    """

    def __init__(
        self,
        auth_url: str,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.generation = 0
        self._url = auth_url.rstrip("/") + JWKS_PATH
        self._client = client
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._tried_at = float("-inf")
        self._away = False
        self._fetching: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Say whether any key is known."""
        return bool(self._keys)

    async def get(self, kid: str) -> Key:
        """Return the key. Raises InvalidToken if auth has none of that name, KeysUnavailable."""
        key = self._keys.get(kid)
        if key is None:
            await self.refresh()
            key = self._keys.get(kid)
        elif self._clock() - self._tried_at > REFRESH_INTERVAL_S:
            self._start_fetch()
        if key is not None:
            return key
        if not self._keys:
            raise KeysUnavailable
        raise InvalidToken("unknown kid")

    async def refresh(self) -> None:
        """Fetch the keys, unless that was done just now.

        Failures are logged when they begin, not raised.
        """
        if self._fetching is None and self._clock() - self._tried_at < FETCH_INTERVAL_S:
            return
        # Shielded: whoever asked first may go away while others wait for the same answer.
        await asyncio.shield(self._start_fetch())

    def _start_fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        return self._fetching

    def _fetched(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch(self) -> None:
        try:
            response = await self._client.get(self._url, timeout=FETCH_TIMEOUT_S)
            keys = _read(response.raise_for_status())
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            if not self._away:
                log.warning("keys not fetched", url=self._url, reason=repr(error))
            self._away = True
            return
        self._away = False
        if self._keys.keys() - keys.keys():
            self.generation += 1
        self._keys = keys


def _read(response: httpx.Response) -> dict[str, Key]:
    """Return the keys in auth's answer. Raises ValueError if there is no reasonable number."""
    if len(response.content) > DOCUMENT_LENGTH_MAX:
        raise ValueError("the key set is too long")
    keys = load_jwks(response.json())
    if not 0 < len(keys) <= KEYS_MAX:
        raise ValueError(f"the key set has {len(keys)} usable keys")
    return keys
