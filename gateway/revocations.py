"""Who was signed out, learned from auth twice a second."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import httpx
import structlog

from shared.errors import Problem
from shared.http import ServiceClient
from shared.security.claims import UserClaims

PATH: Final = "/internal/revocations"
INTERVAL_S: Final = 0.5  # Between two refreshes.

log = structlog.get_logger()


class Revocations:
    """What auth revoked within the life of an access token; the last list stays while it is away.

    Nothing is lost by its absence beyond that life: by then every token out there has expired.
    """

    def __init__(self, client: ServiceClient) -> None:
        self.loaded = False  # Until the first list is here, no token can be called good.
        self._client = client
        self._away = False
        self._sessions: frozenset[UUID] = frozenset()
        self._versions: Mapping[UUID, int] = {}

    def cover(self, claims: UserClaims) -> bool:
        """Whether this token has been revoked."""
        if claims.sid in self._sessions:
            return True
        return claims.ver < self._versions.get(claims.sub, 0)

    async def refresh(self) -> None:
        """Ask auth for the list once. Failures are logged when they begin, not raised."""
        try:
            listed = await self._client.get_json("auth", PATH)
            sessions = frozenset(map(UUID, listed["sessions"]))
            versions = {UUID(sub): int(least) for sub, least in listed["versions"].items()}
        except (
            httpx.HTTPError,
            Problem,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:
            if not self._away:
                log.warning("revocations not read", reason=repr(error))
            self._away = True
            return
        self._sessions, self._versions = sessions, versions
        self.loaded = True
        self._away = False
