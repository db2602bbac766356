"""Blind index: finding a sealed value without opening every row.

A keyed hash stands beside the sealed value. It is equal for equal values of one tenant and one
column, and says nothing to whoever lacks the key; other tenants' hashes of the same value differ.
"""

import hashlib
import hmac
from uuid import UUID


class BlindIndex:
    """Hashes values of one column, with the present key and, to find older rows, earlier ones."""

    def __init__(self, column: str, key: str, previous: str = "") -> None:
        """Take `schema.table.column`, the key as 64 hex digits, earlier keys with commas."""
        keys = [key, *(k for k in previous.split(",") if k)]
        self._keys = [
            hmac.digest(bytes.fromhex(k), f"blind index|{column}".encode(), hashlib.sha256)
            for k in keys
        ]

    def of(self, value: str, tenant_id: UUID) -> bytes:
        """Return the 32 bytes to store beside the value, which is normalised by the caller."""
        return _hash(self._keys[0], value, tenant_id)

    def candidates(self, value: str, tenant_id: UUID) -> list[bytes]:
        """Return all hashes under which the value may be stored, the present key's first."""
        return [_hash(key, value, tenant_id) for key in self._keys]


def _hash(key: bytes, value: str, tenant_id: UUID) -> bytes:
    return hmac.digest(key, tenant_id.bytes + value.encode(), hashlib.sha256)
