"""Sealing: values encrypted at rest so that only their own place can open them.

XAES-256-GCM (https://c2sp.org/XAES-256-GCM): of each fresh 192-bit nonce one half makes a key of
its own for AES-256-GCM, the other is its nonce there. So a key may seal more values than anybody
will (2^80), where AES-256-GCM alone ends at 2^32 (NIST SP 800-38D). The associated data is the
value's place (`schema.table.column|tenant|row`), so a ciphertext copied to another place does not
open. Format: version 2 (1 byte) | key id (4 bytes) | nonce (24 bytes) | ciphertext and tag.
Version 1, which older releases wrote, is AES-256-GCM by the key itself with a nonce of 12 bytes;
it opens for ever.
"""

import base64
import hashlib
import secrets
from decimal import Decimal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

_DIRECT, VERSION = b"\x01", b"\x02"
_KEY_ID_BYTES = 4
_HALF_BYTES = 12  # Of the nonce; all of it in version 1.
_HEADER_BYTES = 1 + _KEY_ID_BYTES
_BLOCK_BITS = 128
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


class _Cipher:
    """One key: AES-256-GCM by it, and by the keys that it makes of nonces."""

    def __init__(self, key: bytes) -> None:
        self.direct = AESGCM(key)
        # Two blocks at a time that never repeat: it makes keys (CMAC, NIST SP 800-108), no texts.
        self._blocks = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - see above.
        doubled = int.from_bytes(self._blocks.update(bytes(16))) << 1
        if doubled >> _BLOCK_BITS:
            doubled ^= (1 << _BLOCK_BITS) | 0x87
        self._mask = int.from_bytes((doubled.to_bytes(16)) * 2)

    def derived(self, half: bytes) -> AESGCM:
        """Return AES-256-GCM by the key that the first half of a nonce makes."""
        asked = b"\x00\x01X\x00" + half + b"\x00\x02X\x00" + half
        mixed = int.from_bytes(asked) ^ self._mask
        return AESGCM(self._blocks.update(mixed.to_bytes(32)))


class Sealer:
    """Seals with one key and opens with that key and the previous ones, found by their id."""

    def __init__(self, key: str, previous: str = "", *, is_counted: bool = True) -> None:
        """Take the key as 64 hex digits, and earlier keys separated by commas.

        A key that seals for one person alone seals little: it need not be counted.
        """
        raw = [bytes.fromhex(key), *(bytes.fromhex(k) for k in previous.split(",") if k)]
        self._ciphers = {key_id(k): _Cipher(k) for k in reversed(raw)}
        self._current_id = key_id(raw[0])
        self._sealed = sealed_values.labels(self._current_id.hex()) if is_counted else None

    def seal(self, value: bytes, place: str) -> bytes:
        """Return the value sealed for its place."""
        if self._sealed is not None:
            self._sealed.inc()
        nonce = secrets.token_bytes(2 * _HALF_BYTES)
        header = VERSION + self._current_id
        cipher = self._ciphers[self._current_id].derived(nonce[:_HALF_BYTES])
        return header + nonce + cipher.encrypt(nonce[_HALF_BYTES:], value, header + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return the value sealed for this place. Raises SealBroken."""
        header, rest = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
        key = self._ciphers.get(header[1:])
        if header[:1] not in (_DIRECT, VERSION) or key is None:
            raise SealBroken("unknown version or key")
        cipher = key.direct
        if header[:1] == VERSION:
            half, rest = rest[:_HALF_BYTES], rest[_HALF_BYTES:]
            if len(half) < _HALF_BYTES:
                raise SealBroken("the seal is cut off")
            cipher = key.derived(half)
        nonce, content = rest[:_HALF_BYTES], rest[_HALF_BYTES:]
        try:
            return cipher.decrypt(nonce, content, header + place.encode())
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
