"""Secrets that are given to somebody as a text, of which only a keyed hash is kept.

The text says where its row is, so that nothing is looked up across tenants.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

_ID_BYTES = 16
_SECRET_BYTES = 32
_ENCODED_LENGTH = -(-(2 * _ID_BYTES + _SECRET_BYTES) * 4 // 3)


@dataclass(frozen=True, slots=True)
class SecretText:
    """A secret, the row that keeps its hash, and the prefix that says what it is for."""

    prefix: str
    tenant_id: UUID
    row_id: UUID
    secret: bytes

    @classmethod
    def new(cls, prefix: str, tenant_id: UUID, row_id: UUID) -> "SecretText":
        return cls(prefix, tenant_id, row_id, secrets.token_bytes(_SECRET_BYTES))

    def __str__(self) -> str:
        raw = self.tenant_id.bytes + self.row_id.bytes + self.secret
        return self.prefix + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def read(cls, prefix: str, text: str) -> "SecretText | None":
        """Return what a text says, or None for anything not written exactly so."""
        if len(text) != len(prefix) + _ENCODED_LENGTH or not text.isascii():
            return None
        encoded = text.removeprefix(prefix)
        try:
            raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            return None
        if len(raw) != 2 * _ID_BYTES + _SECRET_BYTES:
            return None
        found = cls(
            prefix,
            UUID(bytes=raw[:_ID_BYTES]),
            UUID(bytes=raw[_ID_BYTES : 2 * _ID_BYTES]),
            raw[2 * _ID_BYTES :],
        )
        return found if hmac.compare_digest(str(found), text) else None

    def index(self, pepper: bytes) -> bytes:
        """Return what is kept of the secret; without the pepper it says nothing."""
        return hmac.digest(pepper, self.row_id.bytes + self.secret, hashlib.sha256)
