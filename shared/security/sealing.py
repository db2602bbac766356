"""Sealing: values encrypted at rest so that only their own place can open them.

AES-256-GCM with a fresh 96-bit nonce and the id of the key. The associated data is the value's
place (`schema.table.column|tenant|row`), so a ciphertext copied to another place does not open.
Format: version (1 byte) | key id (4 bytes) | nonce (12 bytes) | ciphertext and tag.
"""

import base64
import hashlib
import secrets
from decimal import Decimal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = 1 + _KEY_ID_BYTES
# With random nonces one key may seal 2^32 values (NIST SP 800-38D); an alert keeps half of that.
sealed_values = Counter("values_sealed_total", "Values that a key sealed.", ["key_id"])


class SealBroken(Exception):
    """The value was altered, moved from its place, or sealed with a key we do not have."""


def count_seals() -> dict[str, int]:
    """Return how many values this process has sealed, by the id of the key in hex."""
    return {
        sample.labels["key_id"]: int(sample.value)
        for metric in sealed_values.collect()
        for sample in metric.samples
        if sample.name == "values_sealed_total"
    }


class Sealer:
    """Seals with one key and opens with that key and the previous ones, found by their id."""

    def __init__(self, key: str, previous: str = "", *, is_counted: bool = True) -> None:
        """Take the key as 64 hex digits, and earlier keys separated by commas.

        A key that seals for one person alone never comes near its limit: it need not be counted.
        """
        raw = [bytes.fromhex(key), *(bytes.fromhex(k) for k in previous.split(",") if k)]
        self._ciphers = {key_id(k): AESGCM(k) for k in reversed(raw)}
        self._current_id = key_id(raw[0])
        self._sealed = sealed_values.labels(self._current_id.hex()) if is_counted else None

    def seal(self, value: bytes, place: str) -> bytes:
        """Return the value sealed for its place."""
        if self._sealed is not None:
            self._sealed.inc()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        header = VERSION + self._current_id
        cipher = self._ciphers[self._current_id]
        return header + nonce + cipher.encrypt(nonce, value, header + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return the value sealed for this place. Raises SealBroken."""
        header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        cipher = self._ciphers.get(header[1:])
        if header[:1] != VERSION or cipher is None:
            raise SealBroken("unknown version or key")
        try:
            return cipher.decrypt(
                nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + place.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise SealBroken("the seal does not fit") from error

    @property
    def current_id(self) -> bytes:
        """The id of the key that seals, as it stands in all that it sealed."""
        return self._current_id

    def needs_rotation(self, sealed: bytes) -> bool:
        """Say whether the value is sealed with an earlier key."""
        return sealed[1:_HEADER_BYTES] != self._current_id

    def seal_text(self, value: bytes, place: str) -> str:
        """Return the value sealed, as text for JSON and Redis."""
        return base64.b64encode(self.seal(value, place)).decode()

    def open_text(self, sealed: str, place: str) -> bytes:
        """Return what `seal_text` sealed. Raises SealBroken."""
        try:
            return self.open(base64.b64decode(sealed, validate=True), place)
        except ValueError as error:
            raise SealBroken("not base64") from error

    def seal_amount(self, amount: Decimal, place: str) -> bytes:
        """Return a decimal sealed: its plain digits, so that it comes back exactly."""
        return self.seal(str(amount).encode(), place)

    def open_amount(self, sealed: bytes, place: str) -> Decimal:
        """Return what `seal_amount` sealed. Raises SealBroken."""
        return Decimal(self.open(sealed, place).decode())


def key_id(key: bytes) -> bytes:
    """Return the id under which a key is known: four bytes of a hash that reveals nothing of it."""
    return hashlib.sha256(b"key id\x00" + key).digest()[:_KEY_ID_BYTES]


def place(column: str, tenant_id: UUID, row_id: UUID | str) -> str:
    """Return the associated data of a value in `schema.table.column`."""
    return f"{column}|{tenant_id}|{row_id}"
