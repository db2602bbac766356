"""The form of an exported journal: lines, files, and how anybody checks them without the database.

A file holds whole checkpoints: the lines of their entries, each followed by a line of the
checkpoint itself. Closed, it is compressed and has a manifest: its hashes, which checkpoints it
holds, the tree before it, the hash of the manifest before it, all signed. One is still open.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from shared.journal.checkpoint import GENESIS, digest_of, extended
from shared.journal.merkle import Tree
from shared.journal.notes import NoteKey

OPEN, CLOSED, MANIFEST = ".jsonl", ".jsonl.gz", ".json"
_DATA = ',"data":'
_CHECKPOINT = '{"checkpoint":'
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BYTES = ("root", "previous", "signature", "peaks")
_COLUMNS = (
    "number", "after_xid", "after_seq", "upto_xid", "upto_seq", "size", "root", "previous",
    "signature", "sealed_at", "version", "tree_size", "peaks",
)  # fmt: skip


class ArchiveBroken(Exception):
    """A file is not as it was written: its name, and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class ArchiveCheck:
    """What was found in order."""

    files: int
    entries: int
    checkpoints: int
    last_checkpoint: int


def entry_line(row: Any) -> str:  # noqa: ANN401 - a row of the export's statement.
    """Return an entry as one line. What its data say stands there letter for letter.

    Where that is not one line, or is a text itself, it stands in a JSON text.
    """
    fields = ("xid", "seq", "id", "tenant_id", "recorded_at", "actor", "request_id", "type",
              "subject")  # fmt: skip
    head = json.dumps(
        {name: getattr(row, name) for name in fields}, ensure_ascii=False, separators=(",", ":")
    )
    plain = not row.data.startswith('"') and "\n" not in row.data and "\r" not in row.data
    data = row.data if plain else json.dumps(row.data, ensure_ascii=False)
    return f"{head[:-1]}{_DATA}{data}}}\n"


def checkpoint_line(row: Any) -> str:  # noqa: ANN401 - a row of `checkpoints`.
    kept = {name: getattr(row, name) for name in _COLUMNS}
    kept |= {name: base64.b64encode(kept[name]).decode() for name in _BYTES if kept[name]}
    kept["sealed_at"] = row.sealed_at.isoformat()
    return f"{_CHECKPOINT}{json.dumps(kept, separators=(',', ':'))}}}\n"


def is_checkpoint(line: str) -> bool:
    return line.startswith(_CHECKPOINT)


def read_checkpoint(line: str) -> Any:  # noqa: ANN401 - as a row of `checkpoints`.
    """Return what a line says of its checkpoint, as a row of it. Raises ValueError, KeyError."""
    kept: dict[str, Any] = json.loads(line)["checkpoint"]
    kept |= {name: base64.b64decode(kept[name] or "") for name in _BYTES}
    kept["sealed_at"] = datetime.fromisoformat(kept["sealed_at"])
    return SimpleNamespace(**kept, _asdict=lambda: kept)


def record_of(line: str, version: int) -> bytes:
    """Return the leaf of the tree that an entry's line gives. Raises ValueError, KeyError."""
    at = line.index(_DATA)
    said: dict[str, Any] = json.loads(line[:at] + "}")
    data = line[at + len(_DATA) : -2]
    if data.startswith('"'):
        data = json.loads(data)
    at_time = datetime.fromisoformat(said["recorded_at"])
    told = [said[name] for name in ("actor", "request_id", "type", "subject")] + [data]
    named = [str(said["seq"]), said["id"], said["tenant_id"]]
    if version == 1:
        moment = at_time.strftime("%Y-%m-%dT%H:%M:%S.%f")
        content = "\x1f".join([*named, moment, *told]).encode()
    else:
        fields = [str(said["xid"]), *named, str((at_time - _EPOCH) // _MICROSECOND), *told]
        encoded = [field.encode() for field in fields]
        content = b"".join(b"%d:%b," % (len(field), field) for field in encoded)
    return int(said["seq"]).to_bytes(8) + hashlib.sha256(content).digest()


def sign_manifest(manifest: dict[str, Any], sign: Any) -> bytes:  # noqa: ANN401 - bytes to bytes.
    signature = base64.b64encode(sign(_signed(manifest))).decode()
    written = json.dumps({"manifest": manifest, "signature": signature}, indent=1)
    return f"{written}\n".encode()


def read_manifest(path: Path, key: NoteKey) -> dict[str, Any]:
    """Return a manifest that the journal's key signed. Raises ArchiveBroken."""
    try:
        read = json.loads(path.read_bytes())
        manifest: dict[str, Any] = read["manifest"]
        signature = base64.b64decode(read["signature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveBroken(f"{path.name}: this is no manifest") from error
    if not key.is_signed(_signed(manifest), signature):
        raise ArchiveBroken(f"{path.name}: it is not signed with the journal's key")
    return manifest


def check(folder: Path, key: NoteKey) -> ArchiveCheck:
    """Prove a folder of exported files by the journal's public key. Raises ArchiveBroken.

    Files removed at the beginning, as too old, are missed by nobody; any other is. What the open
    file has after its last checkpoint is not finished, and not looked at.
    """
    service = key.origin.rpartition("/")[2]
    manifests = sorted(folder.glob(f"{service}-*{MANIFEST}"))
    walk = _Walk(key)
    for path in manifests:
        manifest = read_manifest(path, key)
        walk.begin(path, manifest)
        content = _read_closed(path.with_name(manifest["file"]), manifest)
        walk.read(manifest["file"], content)
        walk.end(path, manifest)
    for path in sorted(folder.glob(f"{service}-*{OPEN}")):
        if not path.with_suffix(MANIFEST).exists():
            walk.read(path.name, finished(path.read_bytes()))
    return ArchiveCheck(len(manifests), walk.entries, walk.checkpoints, walk.number)


def finished(content: bytes) -> bytes:
    """Return the beginning of an open file that ends with a checkpoint's whole line."""
    end = 0
    at = 0
    for line in content.splitlines(keepends=True):
        at += len(line)
        if line.startswith(_CHECKPOINT.encode()) and line.endswith(b"}\n"):
            end = at
    return content[:end]


class _Walk:
    def __init__(self, key: NoteKey) -> None:
        self.key = key
        self.tree = Tree()
        self.number = self.entries = self.checkpoints = 0
        self.previous = GENESIS
        self.previous_manifest: str | None = None
        self.is_first = True

    def begin(self, path: Path, manifest: dict[str, Any]) -> None:
        if self.is_first:
            before = manifest["before"]
            self.tree = Tree(before["size"], base64.b64decode(before["peaks"]))
            self.previous = bytes.fromhex(before["digest"])
            self.number = manifest["first_checkpoint"] - 1
        elif manifest["previous_manifest"] != self.previous_manifest:
            raise ArchiveBroken(f"{path.name}: it does not follow the file before it")
        self.is_first = False

    def read(self, name: str, content: bytes) -> None:
        try:
            self._read(name, content)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ArchiveBroken(
                f"{name}: a line after checkpoint {self.number} is none of an export"
            ) from error
        self.is_first = False

    def _read(self, name: str, content: bytes) -> None:
        waiting: list[str] = []
        for line in _lines(content):
            if not is_checkpoint(line):
                waiting.append(line)
                continue
            row = read_checkpoint(line)
            row.leaves = b"".join(record_of(entry, row.version) for entry in waiting)
            is_next = row.number == self.number + 1 and row.previous == self.previous
            if not is_next or not extended(row, self.tree, self.key):
                raise ArchiveBroken(
                    f"{name}: checkpoint {row.number} does not hold: an entry of its "
                    f"{row.size}, or it itself, was changed, removed or inserted"
                )
            self.number, self.previous = row.number, digest_of(row)
            self.entries += len(waiting)
            self.checkpoints += 1
            waiting = []
        if waiting:
            raise ArchiveBroken(f"{name}: it ends without a checkpoint")

    def end(self, path: Path, manifest: dict[str, Any]) -> None:
        if self.number != manifest["last_checkpoint"]:
            raise ArchiveBroken(f"{path.name}: its last checkpoint is another one")
        self.previous_manifest = hashlib.sha256(path.read_bytes()).hexdigest()


def _read_closed(path: Path, manifest: dict[str, Any]) -> bytes:
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise ArchiveBroken(f"{path.name}: it is not there") from error
    if hashlib.sha256(packed).hexdigest() != manifest["sha256"]:
        raise ArchiveBroken(f"{path.name}: its hash is not the manifest's")
    return gzip.decompress(packed)


def _lines(content: bytes) -> Iterator[str]:
    for line in content.split(b"\n")[:-1]:
        yield line.decode() + "\n"


def _signed(manifest: dict[str, Any]) -> bytes:
    return (
        b"journal export\n" + json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    )
