"""The form of every sealed file: compressed, then sealed so that nothing of it can be changed.

    magic | length of the header | header (JSON) | MAC | SHA-256 of all that | chunks | end

The header names purpose, cluster, name, time and key, and holds the file's own random key, wrapped.
The content is compressed with zstd as one stream, cut into chunks of 1 MiB, each sealed with
AES-256-GCM under a nonce of 7 random bytes, a counter of 4 and whether it is the last one (STREAM,
as age does); the header is the associated data. A header whose SHA-256 is right and whose MAC is
not has another key; a chunk that does not open is damaged; without its end a file is truncated.
"""

import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any, Literal, Self, cast

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from shared.sealed_files.errors import FileDamaged, FileTruncated, KeyIsWrong
from shared.sealed_files.keys import (
    KEY_BYTES,
    PBKDF2_ITERATIONS,
    PBKDF2_ITERATIONS_MAX,
    FileKeys,
    Keyring,
)

MAGIC = b"STOCKBK1"
END = b"STOCKEND"  # Not sealed: it tells a cut file from a damaged one, and nothing else.
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16
HEADER_BYTES_MAX = 4096
BASE_LEVEL = 1  # zstd: 360 MB/s a core, to a fifth.
WAL_LEVEL = 3
_PREFIX_BYTES = 7
_DIGEST_BYTES = 32
_COUNTER_MAX = 2**32 - 1
_LENGTH = struct.Struct(">I")
_NONCE = struct.Struct(">7sIB")

Purpose = Literal["base", "wal", "partial", "export", "archive"]


@dataclass(frozen=True)
class FileLabel:
    """What a file is, so that no other can stand in its place."""

    purpose: Purpose
    cluster: str  # PostgreSQL's system identifier; of an archive the service.
    name: str


@dataclass(frozen=True)
class Header:
    """What stands in front of a file, in clear and proved by its MAC. Bytes are in hex."""

    purpose: str
    cluster: str
    name: str
    made_at: str
    kdf: str
    iterations: int
    salt: str
    key_id: str
    wrapped_key: str
    nonce: str

    @property
    def label(self) -> tuple[str, str, str]:
        return self.purpose, self.cluster, self.name

    @classmethod
    def read(cls, raw: bytes, where: str) -> Self:
        """Return the header that was written. Raises FileDamaged."""
        try:
            header = cls(**json.loads(raw))
            sizes = {
                "salt": bytes.fromhex(header.salt),
                "nonce": bytes.fromhex(header.nonce),
                "wrapped_key": bytes.fromhex(header.wrapped_key),
            }
        except (TypeError, ValueError) as error:
            raise FileDamaged(f"{where} is damaged: its header cannot be read.") from error
        if (
            len(sizes["nonce"]) != _PREFIX_BYTES
            or not 1 <= header.iterations <= PBKDF2_ITERATIONS_MAX
        ):
            raise FileDamaged(f"{where} is damaged: its header says what none says.")
        return header


class SealedWriter:
    """Seals what is written to it into a file opened for bytes; `close` ends it.

    A writer that is not closed leaves a file that is truncated for every reader.
    """

    def __init__(
        self, file: IO[bytes], keyring: Keyring, label: FileLabel, *, made_at: datetime, level: int
    ) -> None:
        self.size = 0  # Bytes written to the file, and their hash.
        self.content_size = 0
        self._hash = hashlib.sha256()
        self._file = file
        self._compressor = zstandard.ZstdCompressor(level=level).compressobj()
        self._waiting = bytearray()
        self._counter = 0
        self._prefix = secrets.token_bytes(_PREFIX_BYTES)
        data_key = AESGCM.generate_key(8 * KEY_BYTES)
        self._cipher = AESGCM(data_key)
        keys = keyring.current.file_keys(keyring.salt)
        header = Header(
            **asdict(label),
            made_at=made_at.isoformat(),
            kdf=keyring.current.kdf,
            iterations=PBKDF2_ITERATIONS,
            salt=keyring.salt.hex(),
            key_id=keyring.current.id,
            wrapped_key=aes_key_wrap(keys.wrapping, data_key).hex(),
            nonce=self._prefix.hex(),
        )
        raw = json.dumps(asdict(header), sort_keys=True).encode()
        proved = raw + _proof(keys, raw)
        self._associated = _digest(len(raw), proved)
        self._put(MAGIC + _LENGTH.pack(len(raw)) + proved + self._associated)

    def write(self, content: bytes) -> int:
        self.content_size += len(content)
        self._waiting += self._compressor.compress(content)
        while len(self._waiting) > CHUNK_BYTES:  # One that is full may be the last.
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(content)

    def close(self) -> None:
        """Write what is left and the end. The file itself stays open."""
        self._waiting += self._compressor.flush()
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        self._seal(bytes(self._waiting), is_last=True)
        self._put(END)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        nonce = _NONCE.pack(self._prefix, self._counter, is_last)
        self._counter += 1
        self._put(self._cipher.encrypt(nonce, chunk, self._associated))

    def _put(self, piece: bytes) -> None:
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)


class SealedReader:
    """Gives back what was sealed, each chunk only once it is proved. Raises SafekeepingError.

    `label` is what the file must be; None takes any, which `header` tells.
    """

    def __init__(
        self, file: IO[bytes], keyring: Keyring, label: FileLabel | None, *, where: str
    ) -> None:
        self._file = file
        self._where = where
        self.header, self._associated, keys = _open_header(file, keyring, where)
        if label is not None and self.header.label != (label.purpose, label.cluster, label.name):
            raise FileDamaged(
                f"{where} is damaged: it is {' '.join(self.header.label)}, "
                f"put where {label.purpose} {label.cluster} {label.name} belongs."
            )
        try:
            data_key = aes_key_unwrap(keys.wrapping, bytes.fromhex(self.header.wrapped_key))
        except (InvalidUnwrap, ValueError) as error:
            raise FileDamaged(f"{where} is damaged: the key in it does not open.") from error
        self._cipher = AESGCM(data_key)
        self._chunks = self._read_chunks()
        self._source = zstandard.ZstdDecompressor().stream_reader(
            cast("IO[bytes]", _Pieces(self._chunks)), read_size=CHUNK_BYTES, closefd=False
        )

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.header.made_at)

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Return up to `size` bytes of the content, none at its proved end."""
        try:
            found = self._source.read(size)
        except zstandard.ZstdError as error:
            raise FileDamaged(f"{self._where} is damaged: it does not unpack.") from error
        if not found:
            for (
                _
            ) in self._chunks:  # All of it is to be proved, also what the content needs no more.
                continue
        return found

    def drain(self) -> int:
        """Prove the whole file and return the size of its content."""
        size = 0
        while piece := self.read(4 * CHUNK_BYTES):
            size += len(piece)
        return size

    def _read_chunks(self) -> Iterator[bytes]:
        prefix = bytes.fromhex(self.header.nonce)
        whole = CHUNK_BYTES + TAG_BYTES
        waiting = self._file.read(whole + len(END))
        for counter in range(_COUNTER_MAX + 1):
            more = self._file.read(whole + len(END) - len(waiting))
            waiting += more
            if len(waiting) < whole + len(END) or self._is_at_end():
                yield self._open_last(waiting, prefix, counter)
                return
            nonce = _NONCE.pack(prefix, counter, 0)
            try:
                yield self._cipher.decrypt(nonce, waiting[:whole], self._associated)
            except InvalidTag as error:
                raise self._damaged(counter) from error
            waiting = waiting[whole:]
        raise self._damaged(_COUNTER_MAX)

    def _is_at_end(self) -> bool:
        """Say whether nothing follows what was read."""
        position = self._file.tell()
        is_end = not self._file.read(1)
        self._file.seek(position)
        return is_end

    def _open_last(self, rest: bytes, prefix: bytes, counter: int) -> bytes:
        """Return the last chunk. What is wrong with it tells whether the file was cut."""
        sealed, end = rest[: -len(END)], rest[-len(END) :]
        try:
            opened = self._cipher.decrypt(_NONCE.pack(prefix, counter, 1), sealed, self._associated)
        except InvalidTag as error:
            if END in rest:
                raise self._damaged(counter) from error
            raise FileTruncated(
                f"{self._where} is truncated: it ends in chunk {counter}, before its last one. "
                "Fetch it again, or restore from another backup."
            ) from error
        if end != END:
            raise self._damaged(counter)
        return opened

    def _damaged(self, counter: int) -> FileDamaged:
        return FileDamaged(
            f"{self._where} is damaged: chunk {counter} is not what was sealed. "
            "Fetch it again, or restore from another backup."
        )


class _Pieces:
    """An iterator of bytes as the file that zstd reads."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        if size < 0:
            size = len(self._rest)
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def _open_header(file: IO[bytes], keyring: Keyring, where: str) -> tuple[Header, bytes, FileKeys]:
    start = _exactly(file, len(MAGIC) + _LENGTH.size, where)
    (length,) = _LENGTH.unpack(start[len(MAGIC) :])
    if start[: len(MAGIC)] != MAGIC or length > HEADER_BYTES_MAX:
        raise FileDamaged(f"{where} is damaged: it does not begin as a file of a backup.")
    raw = _exactly(file, length, where)
    mac, checksum = (_exactly(file, _DIGEST_BYTES, where) for _ in range(2))
    if checksum != _digest(length, raw + mac):
        raise FileDamaged(f"{where} is damaged: its header is not what was written.")
    header = Header.read(raw, where)
    key = keyring.named(header.key_id)
    if key is None:
        raise KeyIsWrong(
            f"{where} was sealed with key {header.key_id}; {keyring.variable} and "
            f"{keyring.variable}_PREVIOUS hold {keyring.names}. Give the key it was sealed with."
        )
    keys = key.file_keys(bytes.fromhex(header.salt), header.iterations)
    if not hmac.compare_digest(mac, _proof(keys, raw)):
        raise KeyIsWrong(
            f"{where} does not open with key {header.key_id}, whose id it names: it was sealed "
            "with another key, or is not from us. Give the key it was sealed with."
        )
    return header, checksum, keys


def _exactly(file: IO[bytes], size: int, where: str) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise FileTruncated(f"{where} is truncated: it ends within its header. Fetch it again.")
    return found


def _digest(length: int, proved: bytes) -> bytes:
    return hashlib.sha256(MAGIC + _LENGTH.pack(length) + proved).digest()


def _proof(keys: FileKeys, raw: bytes) -> bytes:
    return hmac.digest(keys.proving, MAGIC + _LENGTH.pack(len(raw)) + raw, "sha256")


def read_header(file: IO[Any], keyring: Keyring, where: str) -> Header:
    """Return what a file says of itself, proved by its MAC."""
    return _open_header(file, keyring, where)[0]
