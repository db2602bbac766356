"""What no longer holds of the tokens that are out, and what tenants may ask for.

Both are learned from auth twice a second.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Literal
from uuid import UUID

import httpx
import structlog

from gateway.errors import RevocationsStale
from shared.errors import Problem
from shared.http import ServiceClient
from shared.security.claims import UserClaims

PATH: Final = "/internal/revocations"
INTERVAL_S: Final = 0.5  # Between two refreshes.
TIMEOUT_S: Final = 2.0
STALE_AFTER_S: Final = 5.0  # From a list of this age on nothing is changed nor administered,
READS_FOR_S: Final = 300.0  # and from this one on nothing is read.

Language = Literal["en", "fr"]

log = structlog.get_logger()


class Revocations:
    """Whom auth signed out, and who changed language, within the life of an access token.

    The last list stays while auth is away, but what it does not know yet grows with its age: so
    it is good for changes while it is fresh, and for reading a few minutes more.
    """

    def __init__(
        self, client: ServiceClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.loaded = False  # Until the first list is here, no token can be called good.
        self._clock = clock
        self._told_at = clock()  # When what we know was true.
        self._client = client
        self._away = False
        self._sessions: frozenset[UUID] = frozenset()
        self._versions: Mapping[UUID, int] = {}
        self._languages: Mapping[UUID, Language] = {}
        self.tenant_rates: Mapping[UUID, int] = {}  # Requests a minute, of tenants with their own.

    def cover(self, claims: UserClaims) -> bool:
        """Say whether this token has been revoked."""
        if claims.sid in self._sessions:
            return True
        return claims.ver < self._versions.get(claims.sub, 0)

    @property
    def age_s(self) -> float:
        """Return how old the knowledge is; before the first list, how long it has been lacking."""
        return self._clock() - self._told_at

    def require_fresh(self, *, reading: bool) -> None:
        """Raise RevocationsStale if the list is too old to read, or to change, anything by."""
        if self.age_s > (READS_FOR_S if reading else STALE_AFTER_S):
            raise RevocationsStale

    def correct(self, claims: UserClaims) -> UserClaims:
        """Return the claims with the language that the user has chosen since."""
        language = self._languages.get(claims.sub, claims.lang)
        return claims if language == claims.lang else replace(claims, lang=language)

    async def refresh(self) -> None:
        """Ask auth for the list once. Failures are logged when they begin, not raised."""
        asked_at = self._clock()
        try:
            listed = await self._client.get_json("auth", PATH, timeout_s=TIMEOUT_S)
            sessions = frozenset(map(UUID, listed["sessions"]))
            versions = {UUID(sub): int(least) for sub, least in listed["versions"].items()}
            changed = listed.get("languages", {})  # The release before tells none.
            own_rates = listed.get("requests_per_minute", {})
            rates = {UUID(tenant): max(int(count), 1) for tenant, count in own_rates.items()}
            languages = {UUID(sub): _language(lang) for sub, lang in changed.items()}
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
        self._sessions, self._versions, self._languages = sessions, versions, languages
        self.tenant_rates = rates
        self.loaded = True
        self._told_at = asked_at
        self._away = False


def _language(text: str) -> Language:
    match text:
        case "en":
            return "en"
        case "fr":
            return "fr"
        case _:
            raise ValueError(text)
