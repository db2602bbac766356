"""Keys for machines: how one is written, and what it may never do."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

KEYS_MAX: Final = 50  # Of one user, those that still work.
LIFETIME_DEFAULT: Final = timedelta(days=90)
LIFETIME_MAX: Final = timedelta(days=366)
ROLE: Final = "machine"  # In the token, whatever the owner's role is.

# For people alone, with a second factor and fresh proofs: running an installation, rights, consent.
NEVER: Final = frozenset({"user:manage", "tenant:manage", "ops:write", "price:approve"})

_PREFIX = "ik_"
_ID_BYTES = 16
_SECRET_BYTES = 32
_TEXT_LENGTH = len(_PREFIX) + -(-(2 * _ID_BYTES + _SECRET_BYTES) * 4 // 3)


@dataclass(frozen=True, slots=True)
class KeyText:
    """What the text of a key says: whose it is, and its secret, of which only a MAC is kept."""

    tenant_id: UUID
    key_id: UUID
    secret: bytes

    @classmethod
    def new(cls, tenant_id: UUID, key_id: UUID) -> "KeyText":
        return cls(tenant_id, key_id, secrets.token_bytes(_SECRET_BYTES))

    def __str__(self) -> str:
        raw = self.tenant_id.bytes + self.key_id.bytes + self.secret
        return _PREFIX + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> "KeyText | None":
        """Return what a key says, or None for anything not written exactly so."""
        if len(text) != _TEXT_LENGTH or not text.startswith(_PREFIX) or not text.isascii():
            return None
        encoded = text.removeprefix(_PREFIX)
        try:
            raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            return None
        found = cls(
            UUID(bytes=raw[:_ID_BYTES]),
            UUID(bytes=raw[_ID_BYTES : 2 * _ID_BYTES]),
            raw[2 * _ID_BYTES :],
        )
        return found if hmac.compare_digest(str(found), text) else None

    def index(self, pepper: bytes) -> bytes:
        """Return what is kept of the secret; without the pepper it says nothing."""
        return hmac.digest(pepper, self.key_id.bytes + self.secret, hashlib.sha256)


def grantable(scopes: Iterable[str]) -> frozenset[str]:
    """Return those of a user's scopes that a key of his may have."""
    return frozenset(scopes) - NEVER
