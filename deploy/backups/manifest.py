"""The manifest of a backup, signed and written last: without it there is no backup."""

import json
from pathlib import Path
from typing import Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.sealed_files.errors import FileDamaged, FileTruncated, KeyIsWrong
from shared.sealed_files.keys import Keyring


class Signed(BaseModel):
    """What is written in clear, for everybody to read, and signed by the key of backups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def written(self, keyring: Keyring) -> bytes:
        """Return the file: the text that was signed, and by which key."""
        content = self.model_dump_json()
        key = keyring.current
        return _envelope(content, key.id, key.sign(_purpose(type(self)) + content.encode()))

    @classmethod
    def read(cls, raw: bytes, keyring: Keyring, where: str) -> Self:
        """Return what was signed. Raises KeyIsWrong, FileDamaged, FileTruncated."""
        try:
            envelope = json.loads(raw)
            content, key_id = str(envelope["signed"]), str(envelope["key_id"])
            signature = bytes.fromhex(envelope["signature"])
        except (KeyError, TypeError, ValueError) as error:
            if not raw.endswith(b"}\n"):
                raise FileTruncated(f"{where} is truncated. Fetch it again.") from error
            raise FileDamaged(f"{where} is damaged: it is no signed manifest.") from error
        if raw != _envelope(content, key_id, signature):
            raise FileDamaged(f"{where} is damaged: it is not as it was written.")
        key = keyring.named(key_id)
        if key is None:
            raise KeyIsWrong(
                f"{where} was signed with key {key_id}; BACKUP_ENCRYPTION_KEY and "
                f"BACKUP_ENCRYPTION_KEY_PREVIOUS hold {keyring.names}. Give the key of that time."
            )
        if not key.is_signed(_purpose(cls) + content.encode(), signature):
            raise FileDamaged(f"{where} is damaged: its signature is not of what it says.")
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise FileDamaged(f"{where} is of a form that this release does not read.") from error


class Manifest(Signed):
    """What one backup is, and what must be found again of it."""

    form: int = 1
    name: str  # As 20261120T020000Z.
    cluster: str  # PostgreSQL's system identifier.
    timeline: int
    server_version: int  # As 180006.
    segment_bytes: int
    started_at: AwareDatetime
    ended_at: AwareDatetime  # By the server's clock: from then on it can be restored.
    start_lsn: str
    end_lsn: str
    size: int  # Bytes of the sealed file, and its SHA-256.
    sha256: str
    content_size: int
    files: int
    verified_at: AwareDatetime  # When it was read back whole.
    key_id: str
    heads: dict[str, str] = Field(default_factory=dict)  # Each journal's newest checkpoint, signed.
    erasures: int = 0  # Of how many files the list of erasures was.


class Received(Signed):
    """How far the write-ahead log of a timeline has been kept."""

    cluster: str
    timeline: int
    segment_bytes: int
    lsn: str  # All up to here is kept,
    at: AwareDatetime  # which is all that was written until then, by the server's clock.
    erasures: int = 0  # Of how many files the list of erasures was.


SignedT = TypeVar("SignedT", bound=Signed)


def read_signed(kind: type[SignedT], path: Path, keyring: Keyring) -> SignedT:
    """Return what a file holds. Raises KeyIsWrong, FileDamaged, FileTruncated, OSError."""
    return kind.read(path.read_bytes(), keyring, str(path))


def _envelope(content: str, key_id: str, signature: bytes) -> bytes:
    """The file, of which each byte is as it must be."""
    envelope = {"signed": content, "key_id": key_id, "signature": signature.hex()}
    return json.dumps(envelope, indent=1).encode() + b"\n"


def _purpose(kind: type[Signed]) -> bytes:
    """What goes before the text that is signed, so that no other text is taken for it."""
    return f"stockwright backup {kind.__name__}\n".encode()
