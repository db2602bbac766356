"""Which events go outside and as what, how they are signed, and when they are sent again.

Signatures are those of Standard Webhooks 1.0 (https://www.standardwebhooks.com).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

import orjson

from shared.contracts.auth.keys import SigningKeyAdded
from shared.contracts.auth.sessions import (
    CredentialStuffingSuspected,
    SessionRefreshed,
    SignInFailed,
    SignInThrottled,
)
from shared.contracts.auth.tenants import TenantLimitsSet, TenantProvisioned
from shared.contracts.auth.users import (
    AboutUser,
    UserAddressChanged,
    UserDeactivated,
    UserLocationsChanged,
    UserProfileChanged,
    UserRoleChanged,
)
from shared.contracts.catalogue import entries

State = Literal["waiting", "delivered", "dead"]
OwnerLoss = Literal["owner_left", "owner_role", "owner_limited"]

OWNER_ROLES: Final = frozenset({"admin"})  # Those with `ops:write`.
WEBHOOKS_MAX: Final = 20  # Of one tenant.
EVENTS_KEPT: Final = timedelta(days=30)
REPLAY_MAX: Final = 10_000  # Events put in line again by one call.
PING: Final = "webhook.ping"

TRIES_MAX: Final = 11  # Over about a day.
FIRST_RETRY: Final = timedelta(seconds=5)
RETRY_MAX: Final = timedelta(hours=6)
ASKED_MAX: Final = timedelta(days=1)  # That a receiver may have us wait.
DISABLED_AFTER: Final = timedelta(days=3)  # Without one success.
LEASE: Final = timedelta(seconds=45)  # So long one that is being sent is nobody else's.
CONNECTIONS_MAX: Final = 200  # Of one worker.
OF_WEBHOOK_MAX: Final = 4  # Messages under way at once.
OF_TENANT_MAX: Final = 12
DEADLINE_S: Final = 10.0  # Of one attempt, from the name to the end of the answer.
ANSWER_KEPT: Final = 1024  # Bytes of an answer.

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets begin with.
SECRET_BYTES: Final = 32
_GONE: Final = 410
_DIGITS: Final = 9  # Of seconds; more are too many in any case.
_SUCCESS: Final = range(200, 300)
_ASKING: Final = frozenset({429, 503})  # The answers whose Retry-After is heeded.

# Of the platform, or so frequent and empty that nobody outside is helped.
_INSIDE: Final = frozenset(
    entry.name
    for entry in (
        SigningKeyAdded, TenantProvisioned, TenantLimitsSet, SessionRefreshed, SignInThrottled,
        CredentialStuffingSuspected,
    )
)  # fmt: skip
# What is sealed, or a keyed hash: nobody outside can read it. So is each field named `…_sealed`.
_HIDDEN: Final[Mapping[str, frozenset[str]]] = {
    UserProfileChanged.name: frozenset({"before", "after"}),
    UserAddressChanged.name: frozenset({"before", "after"}),
    SignInFailed.name: frozenset({"account"}),
}
_SEALED: Final = "_sealed"

# The fields of `data` by the type of event: of every entry of every journal, present and to come.
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(
        field
        for field in entry.model_fields
        if not field.endswith(_SEALED) and field not in _HIDDEN.get(name, ())
    )
    for name, entry in sorted(entries().items())
    if name not in _INSIDE
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of sending: a status and the beginning of the answer, or an error."""

    status: int | None = None
    answer: str | None = None
    error: str | None = None
    asked: timedelta | None = None  # How long the receiver wants to be left alone.

    @property
    def is_success(self) -> bool:
        return self.status in _SUCCESS

    @property
    def is_gone(self) -> bool:
        """Say whether the receiver wants no more (Standard Webhooks, 410)."""
        return self.status == _GONE


def public_data(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a journal entry's data goes outside; fields unknown to this release do not."""
    return {field: data[field] for field in EVENTS[event_type] if field in data}


def write_payload(event_type: str, happened_at: str, sequence: int, data: Mapping[str, Any]) -> str:
    """Return the body of a message, as it is signed and sent each time."""
    body = {"type": event_type, "timestamp": happened_at, "sequence": sequence, "data": data}
    return orjson.dumps(body).decode()


def new_secret(random: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(random).decode()


def sign(secrets: Sequence[str], message_id: str, timestamp: int, payload: str) -> str:
    """Return the header `webhook-signature`: one signature by each secret."""
    signed = f"{message_id}.{timestamp}.{payload}".encode()
    keys = [base64.b64decode(secret.removeprefix(SECRET_PREFIX)) for secret in secrets]
    digests = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def asked_wait(status: int, header: str | None, now: datetime) -> timedelta | None:
    """Return how long an answer asks us to wait (RFC 9110, 10.2.3): seconds, or until a date."""
    text = (header or "").strip()
    if status not in _ASKING or not text:
        return None
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:_DIGITS]), int(ASKED_MAX.total_seconds())))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):  # What is no date is heeded no more than none.
        return None
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - now


def retry_after(tries: int, jitter: float, asked: timedelta | None = None) -> timedelta | None:
    """Return how long to wait after so many tries; None when it is given up.

    What the receiver asked for makes it later, up to a day, and never earlier.

    The waits are 5 s, four times as long each time, up to six hours; `jitter` in [0, 1) spreads
    each by a fifth to both sides, so that what failed together does not come back together.
    """
    if tries >= TRIES_MAX:
        return None
    wait = min(FIRST_RETRY * int(4 ** (tries - 1)), RETRY_MAX)
    return max(wait * (0.8 + 0.4 * jitter), min(asked or timedelta(), ASKED_MAX))


def loss_of(entry: AboutUser) -> OwnerLoss | None:
    """Return why a user may have no webhooks after this entry; None where it does not tell."""
    match entry:
        case UserDeactivated():
            return "owner_left"
        case UserRoleChanged(after=role) if role not in OWNER_ROLES:
            return "owner_role"
        case UserLocationsChanged(after=list()):
            return "owner_limited"
    return None


def is_given_up(failing_since: datetime, now: datetime) -> bool:
    """Say whether a webhook failed for so long that nothing more is sent."""
    return now - failing_since >= DISABLED_AFTER
