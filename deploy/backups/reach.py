"""Which moments can be restored, and from what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.backups.errors import NotReachable, SegmentMissing
from deploy.backups.manifest import Manifest
from deploy.backups.repository import Repository
from deploy.backups.rules import next_segment, read_lsn, segment_of, written
from deploy.backups.wal import UNSEALED, last_needed
from shared.sealed_files.form import read_header
from shared.sealed_files.keys import Keyring


@dataclass(frozen=True)
class Reach:
    """How far one backup leads: its own end, or with the log that follows up to `until`."""

    backup: Manifest
    until: datetime
    last_lsn: str
    segments: Sequence[str] = ()  # Whole files that follow it, in order.
    partial: str | None = None  # The file after them, as far as it was written.
    missing: str | None = None  # The first file that is not there.


def reach_of(backup: Manifest, repository: Repository, keyring: Keyring) -> Reach:
    """Return how far a backup leads by what lies in the repository. Raises BackupError."""
    alone = Reach(backup, backup.ended_at, backup.end_lsn)
    received = repository.received(backup.timeline, keyring)
    kept = set(repository.segments(backup.timeline))
    if received is None or read_lsn(received.lsn) <= read_lsn(backup.end_lsn):
        return alone
    last = last_needed(received)
    # What lies in the backup ends with the file of its end.
    own = segment_of(read_lsn(backup.end_lsn) - 1, backup.timeline, backup.segment_bytes)
    name = next_segment(own, backup.segment_bytes)
    if name <= last and kept and name < min(kept):
        return alone  # It was kept longer than the log that followed it.
    segments: list[str] = []
    while name in kept:
        segments.append(name)
        name = next_segment(name, backup.segment_bytes)
    partial = name if name == _name_of_partial(repository, backup.timeline, keyring) else None
    if name <= last and not (name == last and partial):
        return Reach(backup, backup.ended_at, backup.end_lsn, missing=name)
    return Reach(backup, received.at, received.lsn, segments, partial)


def _name_of_partial(repository: Repository, timeline: int, keyring: Keyring) -> str | None:
    path = repository.partial_path(timeline)
    if not path.exists():
        return None
    with path.open("rb") as file:
        return read_header(file, keyring, str(path)).name.removesuffix(UNSEALED)


def intervals(reaches: Sequence[Reach]) -> list[tuple[datetime, datetime]]:
    """Return the intervals that can be restored, those that overlap as one, oldest first."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted((reach.backup.ended_at, reach.until) for reach in reaches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def choose(reaches: Sequence[Reach], at: datetime | None, *, has_more: bool = False) -> Reach:
    """Return what leads to a moment: the newest backup that ended before it; None is the last.

    `has_more`: there is log behind what was noted, so a later moment is worth trying.
    Raises NotReachable, SegmentMissing, naming what can be reached.
    """
    if not reaches:
        raise NotReachable("There is no backup here; `make backup` makes one.")
    in_order = sorted(reaches, key=lambda reach: reach.backup.ended_at)
    usable = in_order if at is None else [r for r in in_order if r.backup.ended_at <= at]
    if usable:
        newest = usable[-1]
        if newest.missing is not None and (at is None or newest.until < at):
            raise SegmentMissing(
                f"The file {newest.missing} of the write-ahead log is missing, so nothing after "
                f"{written(newest.until)} can be restored from backup {newest.backup.name}. "
                f"Reachable: {describe(reaches)}. Fetch the file from the remote, or name a moment "
                "in these."
            )
        if at is None or has_more or at <= newest.until:
            return newest
    raise NotReachable(
        f"{written(at) if at else 'The end'} cannot be restored. Reachable: {describe(reaches)}."
    )


def describe(reaches: Sequence[Reach]) -> str:
    """Return the moments that can be restored, for people."""
    return ", ".join(
        written(start) if start == end else f"{written(start)} to {written(end)}"
        for start, end in intervals(reaches)
    )
