"""Removing what is not kept any longer. Only after a backup was made and read back."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.backups.errors import BackupError
from deploy.backups.manifest import Manifest
from deploy.backups.repository import BASE_FILE, Repository, remove_parts
from deploy.backups.rules import kept, kept_daily, may_forget, read_lsn, segment_of
from shared.journal.keeper import sync_folder
from shared.log import log
from shared.sealed_files.keys import Keyring


@dataclass(frozen=True)
class Removed:
    """What was removed, by name."""

    backups: Sequence[str]
    segments: Sequence[str]
    why_not: str | None = None  # Why nothing was, where something might have been.


def forget_old(repository: Repository, keyring: Keyring, *, days: int, now: datetime) -> Removed:
    """Remove the backups that no rule keeps, and the log that none of the daily ones needs.

    One that cannot be read or is not there as its manifest says counts for nothing and stays.
    """
    unreadable: list[BackupError] = []
    listed = repository.readable_manifests(keyring, unreadable.append)
    whole = [manifest for manifest in listed if _is_there(repository, manifest)]
    if unreadable or len(whole) < len(listed):
        return _nothing("a backup cannot be read or is not there as its manifest says")
    if len(whole) > 1 and not may_forget(whole, now):
        return _nothing("the clock leapt by more than two days since the backup before")
    stay = kept(whole, days)
    gone = [manifest.name for manifest in whole if manifest.name not in stay]
    for name in gone:
        # Without its manifest it is no backup any more, whatever happens next.
        repository.manifest_path(name).unlink()
        sync_folder(repository.manifest_path(name).parent)
        shutil.rmtree(repository.base_path(name).parent)
    oldest_day = kept_daily(whole, days)[0].ended_at.date()
    left = [one for one in whole if one.name in stay and one.ended_at.date() >= oldest_day]
    segments = _forget_segments(repository, left)
    return Removed(gone, segments)


def remove_unfinished(repository: Repository) -> None:
    """Remove what runs that were killed have left. Only while no other runs."""
    remove_parts(repository.folder / "base")
    for folder in (repository.folder / "base").glob("*/"):
        if {path.name for path in folder.iterdir()} <= {BASE_FILE}:
            log.warning("a backup that was not finished is removed", backup=folder.name)
            shutil.rmtree(folder)


def _forget_segments(repository: Repository, daily: Sequence[Manifest]) -> list[str]:
    """Remove the log before the oldest backup of the days that are kept, timeline by timeline."""
    removed = []
    for timeline in repository.timelines():
        needed = [
            segment_of(read_lsn(manifest.end_lsn) - 1, timeline, manifest.segment_bytes)
            for manifest in daily
            if manifest.timeline == timeline
        ]
        # A timeline of which no daily backup is left is over; the newest one is still written.
        is_over = timeline != max(repository.timelines())
        for name in repository.segments(timeline):
            if (needed and name < min(needed)) or (not needed and is_over):
                repository.segment_path(name).unlink()
                removed.append(name)
        if not needed and is_over and not repository.segments(timeline):
            repository.partial_path(timeline).unlink(missing_ok=True)
    return removed


def _is_there(repository: Repository, manifest: Manifest) -> bool:
    """Say whether a backup's file has the size that it was written with."""
    path = repository.manifest_path(manifest.name).with_name(BASE_FILE)
    return path.exists() and path.stat().st_size == manifest.size


def _nothing(reason: str) -> Removed:
    log.warning("no backup was removed", reason=reason)
    return Removed((), (), reason)
