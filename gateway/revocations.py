"""What no longer holds of the tokens that are out, learned from auth twice a second."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal
from uuid import UUID

import httpx
import structlog

from shared.errors import Problem
from shared.http import ServiceClient
from shared.security.claims import UserClaims

PATH: Final = "/internal/revocations"
INTERVAL_S: Final = 0.5  # Between two refreshes.

Language = Literal["en", "fr"]

log = structlog.get_logger()


class Revocations:
    """Whom auth signed out, and who changed language, within the life of an access token.

    The last list stays while auth is away. Nothing is lost by its absence beyond that life: by
    then every token out there has expired.
    """

    def __init__(self, client: ServiceClient) -> None:
        self.loaded = False  # Until the first list is here, no token can be called good.
        self._client = client
        self._away = False
        self._sessions: frozenset[UUID] = frozenset()
        self._versions: Mapping[UUID, int] = {}
        self._languages: Mapping[UUID, Language] = {}

    def cover(self, claims: UserClaims) -> bool:
        """Say whether this token has been revoked."""
        if claims.sid in self._sessions:
            return True
        return claims.ver < self._versions.get(claims.sub, 0)

    def correct(self, claims: UserClaims) -> UserClaims:
        """Return the claims with the language that the user has chosen since."""
        language = self._languages.get(claims.sub, claims.lang)
        return claims if language == claims.lang else replace(claims, lang=language)

    async def refresh(self) -> None:
        """Ask auth for the list once. Failures are logged when they begin, not raised."""
        try:
            listed = await self._client.get_json("auth", PATH)
            sessions = frozenset(map(UUID, listed["sessions"]))
            versions = {UUID(sub): int(least) for sub, least in listed["versions"].items()}
            changed = listed.get("languages", {})  # The release before tells none.
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
        self.loaded = True
        self._away = False


def _language(text: str) -> Language:
    match text:
        case "en":
            return "en"
        case "fr":
            return "fr"
        case _:
            raise ValueError(text)
