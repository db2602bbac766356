"""Checkpoints as they leave the database: signed notes, as C2SP tlog-checkpoint has them.

stock/inventory                     origin: whose journal
1234                                how many entries the tree has
6GzlW1Yl…=                          its root
checkpoint 17 200e59a8…             number and digest of the row in `checkpoints`

— stock/inventory Az3grlgt…         Ed25519, with the key's id
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_TEXT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9]\d{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"checkpoint (?P<number>[1-9]\d{0,18}) (?P<digest>[0-9a-f]{64})\n"
)


class NoteInvalid(ValueError):
    """What was given is no checkpoint of this journal, or not signed with its key."""


@dataclass(frozen=True, slots=True)
class CheckpointNote:
    """One checkpoint: the tree over the first `size` entries of a journal has this root."""

    origin: str
    size: int
    root: bytes
    number: int
    digest: bytes  # Of the row, as `head` shows it.

    @property
    def text(self) -> str:
        """Return what is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ncheckpoint {self.number} {self.digest.hex()}\n"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The public half of a journal's key, by which anybody can check its notes."""

    origin: str
    public: Ed25519PublicKey

    @classmethod
    def parse(cls, written: str) -> "NoteKey":
        """Read a key as `checkpoint key` prints it: name, id and key. Raises NoteInvalid."""
        name, _, rest = written.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
            key = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        except ValueError as error:
            raise NoteInvalid("this is no key of a journal") from error
        if raw[:1] != _ED25519 or key.id.hex() != key_id:
            raise NoteInvalid("this is no key of a journal")
        return key

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.origin.encode() + b"\n" + _ED25519 + self._raw).digest()[:4]

    @property
    def written(self) -> str:
        encoded = base64.b64encode(_ED25519 + self._raw).decode()
        return f"{self.origin}+{self.id.hex()}+{encoded}"

    @property
    def _raw(self) -> bytes:
        return self.public.public_bytes_raw()

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def write(self, note: CheckpointNote, signature: bytes) -> str:
        """Return a note with its signature as it is kept outside."""
        signed = base64.b64encode(self.id + signature).decode()
        return f"{note.text}\n— {self.origin} {signed}\n"

    def read(self, written: str) -> CheckpointNote:
        """Return a note that this key signed; other signatures beside are passed over.

        Raises NoteInvalid.
        """
        text, _, signatures = written.partition("\n\n")
        found = _TEXT.fullmatch(f"{text}\n")
        if found is None:
            raise NoteInvalid("this is no checkpoint")
        if found["origin"] != self.origin:
            raise NoteInvalid(f"this is a checkpoint of {found['origin']}, not of {self.origin}")
        note = CheckpointNote(
            found["origin"],
            int(found["size"]),
            base64.b64decode(found["root"]),
            int(found["number"]),
            bytes.fromhex(found["digest"]),
        )
        if not any(self._has_signed(note, line) for line in signatures.splitlines()):
            raise NoteInvalid("this checkpoint is not signed with the journal's key")
        return note

    def _has_signed(self, note: CheckpointNote, line: str) -> bool:
        prefix = f"— {self.origin} "
        try:
            signed = base64.b64decode(line.removeprefix(prefix), validate=True)
        except binascii.Error:
            return False
        return (
            line.startswith(prefix)
            and signed[:4] == self.id
            and self.is_signed(note.text.encode(), signed[4:])
        )


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that seals one service's journal."""

    service: str
    private: Ed25519PrivateKey

    @classmethod
    def from_hex(cls, service: str, seed: str) -> "SigningKey":
        return cls(service, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))

    @property
    def public(self) -> NoteKey:
        return NoteKey(f"stock/{self.service}", self.private.public_key())

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        return self.public.is_signed(message, signature)
