"""Months of a journal that lie in archives: what the signed manifest of each says of its leaves.

Checkpoints stay in the database for ever, with the leaf of every entry. A manifest says, checkpoint
by checkpoint, which of these are in its archive and no longer in the table, so that both together
are still proved to be all that was ever sealed.
"""

import base64
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.journal.checkpoint import Difference, list_after, records_of
from shared.journal.entries import ArchivedNumbers
from shared.journal.notes import NoteKey, SigningKey

_CHECKPOINTS_AT_ONCE = 20
_PURPOSE = b"journal archive\n"
ArchiveState = Literal["read", "signed", "missing", "unreadable"]


class ArchiveForged(Exception):
    """What should be a manifest is none that the journal's key signed."""


class ArchiveFound(NamedTuple):
    """How a verification came by the leaves of one archived month."""

    month: date
    entries: int
    state: ArchiveState  # signed: taken from the manifest, the archive was not asked for.
    reason: str | None = None  # Why it could not be read.


class ArchiveManifest(BaseModel):
    """What an archive holds."""

    model_config = ConfigDict(frozen=True)

    service: str
    month: date  # Its first day; of the partition, in UTC.
    file: str
    entries: int
    first: tuple[int, int]  # xid and seq.
    last: tuple[int, int]
    sha256: str  # Of the file.
    content_sha256: str  # Of the lines in it.
    whole: tuple[tuple[int, int], ...]  # Runs of checkpoints all of whose entries are in it.
    parts: dict[int, frozenset[int]]  # Of other checkpoints, the numbers of entries that are.
    head: str  # Digest of the last checkpoint.
    tenants: tuple[str, ...]  # Whose entries are in it.
    previous: str | None  # SHA-256 of the manifest that was written before this one.
    made_at: AwareDatetime

    @property
    def label(self) -> str:
        return f"{self.month:%Y-%m}"

    @cached_property
    def checkpoints(self) -> tuple[int, int]:
        """The first and last checkpoint that it has entries of."""
        numbers = [*self.parts, *(number for run in self.whole for number in run)]
        return min(numbers), max(numbers)

    def leaves_of(self, row: Any) -> list[bytes]:  # noqa: ANN401 - a row of `checkpoints`.
        """Return the leaves of a checkpoint that are in the archive, in order."""
        if any(first <= row.number <= last for first, last in self.whole):
            return records_of(row.leaves)
        part = self.parts.get(row.number, frozenset())
        return [leaf for leaf in records_of(row.leaves) if _number_of(leaf) in part]


class ArchivedLeaves:
    """Which leaves are no longer in the table, of all archives whose month is detached."""

    def __init__(self, manifests: Sequence[ArchiveManifest] = ()) -> None:
        self.manifests = manifests
        self._runs = sorted(run for each in manifests for run in each.whole)
        self._begins = [first for first, _ in self._runs]
        self._parts: dict[int, frozenset[int]] = {}
        for each in manifests:
            for number, part in each.parts.items():
                self._parts[number] = self._parts.get(number, frozenset()) | part

    def since(self, number: int) -> list[ArchiveManifest]:
        """Return the archives that have entries of checkpoints after this one."""
        return [each for each in self.manifests if each.checkpoints[1] > number]

    def kept(self, row: Any) -> bytes:  # noqa: ANN401 - a row of `checkpoints`.
        """Return the leaves of a checkpoint whose entries must still be in the table."""
        at = bisect_right(self._begins, row.number) - 1
        if at >= 0 and row.number <= self._runs[at][1]:
            return b""
        part = self._parts.get(row.number)
        if part is None:
            return bytes(row.leaves)
        return b"".join(leaf for leaf in records_of(row.leaves) if _number_of(leaf) not in part)


def write_manifest(manifest: ArchiveManifest, key: SigningKey) -> str:
    said = manifest.model_dump(mode="json")
    said["parts"] = {number: sorted(part) for number, part in manifest.parts.items()}
    said = json.loads(json.dumps(said))
    signature = base64.b64encode(key.sign(_signed(said))).decode()
    return json.dumps({"manifest": said, "signature": signature}, indent=1) + "\n"


def parse_manifest(written: str, key: NoteKey) -> ArchiveManifest:
    """Return what the journal's key signed. Raises ArchiveForged."""
    try:
        read = json.loads(written)
        said: Mapping[str, Any] = read["manifest"]
        if not key.is_signed(_signed(said), base64.b64decode(read["signature"])):
            raise ArchiveForged("it is not signed with the journal's key")
        manifest = ArchiveManifest.model_validate(said)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise ArchiveForged("it is no manifest of an archive") from error
    if manifest.service != key.origin.rpartition("/")[2]:
        raise ArchiveForged(f"it is of {manifest.service}'s journal")
    return manifest


async def find_archived(
    connection: AsyncConnection, key: NoteKey
) -> tuple[ArchivedLeaves, Difference | None]:
    """Return the leaves of all detached months; and the first manifest that is not genuine."""
    manifests = []
    for row in await connection.execute(_DETACHED):
        try:
            manifests.append(parse_manifest(row.manifest, key))
        except ArchiveForged:
            return ArchivedLeaves(), Difference("archive_forged", 0, archive=f"{row.month:%Y-%m}")
    return ArchivedLeaves(manifests), None


async def is_archived_after(connection: AsyncConnection, cursor: tuple[int, int]) -> bool:
    """Say whether an entry after a cursor of the feed is no longer in the table."""
    return bool(await connection.scalar(_AFTER, {"xid": cursor[0], "seq": cursor[1]}))


async def list_archived_numbers(
    connection: AsyncConnection, key: NoteKey, after: int
) -> ArchivedNumbers:
    """Return the numbers of archived entries of the next checkpoints that have any."""
    archived, _ = await find_archived(connection, key)
    behind = archived.since(after)
    if not behind:
        return ArchivedNumbers(seqs=[], next=None)
    begin = max(after, min(each.checkpoints[0] for each in behind) - 1)
    rows = await list_after(connection, begin, _CHECKPOINTS_AT_ONCE)
    seqs = []
    for row in rows:
        kept = set(records_of(archived.kept(row)))
        seqs += [_number_of(leaf) for leaf in records_of(row.leaves) if leaf not in kept]
    return ArchivedNumbers(seqs=seqs, next=rows[-1].number if rows else None)


def _number_of(leaf: bytes) -> int:
    return int.from_bytes(leaf[:8])


def _signed(said: Mapping[str, Any]) -> bytes:
    return _PURPOSE + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


_AFTER = text("""
    SELECT EXISTS (
        SELECT FROM journal_archives
        WHERE detached_at IS NOT NULL AND (last_xid, last_seq) > (:xid, :seq))""")
_DETACHED = text("""
    SELECT month, manifest FROM journal_archives
    WHERE detached_at IS NOT NULL ORDER BY month""")
