"""The keys of sealed files: a key of 32 bytes or a passphrase, and what is derived from it.

Nothing is sealed with the key itself: each file has a random key of its own, wrapped by one that is
derived from the key and the file's salt. Manifests are signed with an Ed25519 key of the same
origin, so that whoever has only its public half can check which files there are.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from shared.security.sealing import key_id

KEY_BYTES = 32
PASSPHRASE_LENGTH_MIN = 20
PBKDF2_ITERATIONS = 600_000  # OWASP, 2023, for HMAC-SHA-256.
PBKDF2_ITERATIONS_MAX = 10_000_000  # What a file may make us spend.
SALT_BYTES = 16

_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_OWN_SALT = b"stockwright backup"  # Of what a passphrase means everywhere: its id, its signatures.

Kdf = Literal["hkdf-sha256", "pbkdf2-hmac-sha256"]


@dataclass(frozen=True, slots=True)
class FileKeys:
    """What one salt makes of a key: to wrap the files' own keys, and to prove their headers."""

    wrapping: bytes
    proving: bytes


class FileKey:
    """One key, or passphrase, of sealed files."""

    def __init__(self, text: str) -> None:
        """Take 64 hexadecimal digits, or a passphrase. Raises ValueError for one that is short."""
        self.kdf: Kdf = "hkdf-sha256" if _HEX_KEY.fullmatch(text) else "pbkdf2-hmac-sha256"
        if self.kdf == "pbkdf2-hmac-sha256" and len(text) < PASSPHRASE_LENGTH_MIN:
            raise ValueError(
                f"give 64 hexadecimal digits, or a passphrase of {PASSPHRASE_LENGTH_MIN} "
                "characters or more"
            )
        self._secret = bytes.fromhex(text) if self.kdf == "hkdf-sha256" else text.encode()
        own = self._stretched(_OWN_SALT, PBKDF2_ITERATIONS)
        self.id = key_id(own).hex()
        self._signing = Ed25519PrivateKey.from_private_bytes(
            _expanded(own, _OWN_SALT, b"manifests", KEY_BYTES)
        )

    def file_keys(self, salt: bytes, iterations: int = PBKDF2_ITERATIONS) -> FileKeys:
        """Return the keys of the files that were sealed with this salt."""
        both = _expanded(self._stretched(salt, iterations), salt, b"files", 2 * KEY_BYTES)
        return FileKeys(wrapping=both[:KEY_BYTES], proving=both[KEY_BYTES:])

    def sign(self, content: bytes) -> bytes:
        return self._signing.sign(content)

    def is_signed(self, content: bytes, signature: bytes) -> bool:
        """Say whether this key signed the content."""
        try:
            self._signing.public_key().verify(signature, content)
        except InvalidSignature:
            return False
        return True

    @property
    def public_text(self) -> str:
        """The public half in hex, to check manifests by whoever must not open backups."""
        return self._signing.public_key().public_bytes_raw().hex()

    def _stretched(self, salt: bytes, iterations: int) -> bytes:
        if self.kdf == "hkdf-sha256":
            return self._secret
        return _stretch(self._secret, salt, iterations)


class Keyring:
    """The key that seals, and all that open."""

    def __init__(
        self, key: str, previous: str = "", *, variable: str = "BACKUP_ENCRYPTION_KEY"
    ) -> None:
        self.variable = variable  # Where they come from, for messages.
        self.current = FileKey(key)
        self.all: Sequence[FileKey] = [
            self.current,
            *(FileKey(text) for text in previous.split(",") if text),
        ]
        self.salt = secrets.token_bytes(SALT_BYTES)  # One a process: a passphrase takes 0.2 s.

    def named(self, name: str) -> FileKey | None:
        """Return the key of this id, None if it is not here."""
        return next((key for key in self.all if key.id == name), None)

    @property
    def names(self) -> str:
        """The ids of the keys that are here, for messages."""
        return ", ".join(key.id for key in self.all)


@lru_cache(maxsize=64)
def _stretch(secret: bytes, salt: bytes, iterations: int) -> bytes:
    return PBKDF2HMAC(hashes.SHA256(), KEY_BYTES, salt, iterations).derive(secret)


def _expanded(secret: bytes, salt: bytes, purpose: bytes, length: int) -> bytes:
    info = b"stockwright backup v1 " + purpose
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
