"""Refresh tokens and what to do with one; how long sessions last."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

LEEWAY = timedelta(seconds=10)  # In which the token just spent still gives its one successor.
ENDED_SESSIONS_KEPT = timedelta(days=1)  # Longer than any access token that came of them.

SESSIONS_LISTED_MAX = 200  # Of one user; the last used come first.
ADMIN_LIFETIME_MAX_S = 12 * 3600  # Of an administrator's session, however much it is used.
ENROLMENT_S = 600  # Long enough to fetch one's phone and scan a code.

Todo: TypeAlias = Literal["password", "factor"]  # Before a sign-in is finished.

_PREFIX = "rt1."
_ID_BYTES = 16
_COUNTER_BYTES = 8
_MAC_BYTES = 16
_BODY_BYTES = 3 * _ID_BYTES + _COUNTER_BYTES
_TEXT_LENGTH = len(_PREFIX) + (_BODY_BYTES + _MAC_BYTES) * 4 // 3


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token says, under a MAC: the session and the place in its chain.

    After Supabase Auth's version 2 tokens: nothing is stored for a token but the counter of its
    session, so there is one chain and nothing to steal from the database.
    """

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    counter: int

    def sealed(self, key: bytes) -> str:
        """Return the text that the client keeps."""
        ids = self.tenant_id.bytes + self.user_id.bytes + self.session_id.bytes
        body = ids + self.counter.to_bytes(_COUNTER_BYTES)
        return _PREFIX + base64.urlsafe_b64encode(body + _mac(body, key)).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str, key: bytes) -> "RefreshToken | None":
        """Return the token, or None for anything that we did not write exactly so."""
        if len(text) != _TEXT_LENGTH or not text.startswith(_PREFIX) or not text.isascii():
            return None
        encoded = text.removeprefix(_PREFIX)
        try:
            raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            return None
        body = raw[:_BODY_BYTES]
        if not hmac.compare_digest(raw[_BODY_BYTES:], _mac(body, key)):
            return None
        ids = [UUID(bytes=body[at : at + _ID_BYTES]) for at in range(0, 3 * _ID_BYTES, _ID_BYTES)]
        token = cls(ids[0], ids[1], ids[2], int.from_bytes(body[3 * _ID_BYTES :]))
        return token if hmac.compare_digest(token.sealed(key), text) else None


RefreshOutcome = Literal["repeat", "reused", "ended"]


def judge_unrotated(
    presented: int, *, counter: int, refreshed_at: datetime, is_over: bool, now: datetime
) -> RefreshOutcome:
    """Say what a refresh token means that did not rotate its session.

    `repeat`: the immediate parent within the leeway, so its successor is given again. `reused`: an
    older one, or the parent too late. `ended`: the session is over, or the token is not of it.
    """
    if is_over or presented >= counter:
        return "ended"
    if presented == counter - 1 and now - refreshed_at <= LEEWAY:
        return "repeat"
    return "reused"


def expiry(
    started_at: datetime, now: datetime, *, role: str, idle_s: int, lifetime_max_s: int
) -> datetime:
    """Return when a session ends that is used now: when idle too long, or old enough.

    An administrator's is old enough after ADMIN_LIFETIME_MAX_S, however long others may last.
    """
    oldest_s = min(lifetime_max_s, ADMIN_LIFETIME_MAX_S) if role == "admin" else lifetime_max_s
    return min(now + timedelta(seconds=idle_s), started_at + timedelta(seconds=oldest_s))


def todo_before_session(
    *, password_change_required: bool, must_have_factor: bool, has_strong_proof: bool
) -> tuple[Todo, ...]:
    """Return what a user must do, in this order, before he gets a session."""
    password: tuple[Todo, ...] = ("password",) if password_change_required else ()
    factor: tuple[Todo, ...] = ("factor",) if must_have_factor and not has_strong_proof else ()
    return password + factor


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:_MAC_BYTES]
