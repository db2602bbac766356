"""What is decided about backups: values in, values out."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from croniter import croniter

KEPT_MIN = 3
KEPT_WEEKS = 8
KEPT_MONTHS = 12
LEAP = timedelta(days=2)  # Between two backups: then the clock is not to be trusted.
NAME_FORMAT = "%Y%m%dT%H%M%SZ"

_LSN = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)")
_PAGE_BYTES = 8192


class AgedBackup(Protocol):
    """What retention looks at of a backup."""

    @property
    def name(self) -> str: ...
    @property
    def ended_at(self) -> datetime: ...


K = TypeVar("K", bound=AgedBackup)


def read_lsn(text: str) -> int:
    """Return a position of the write-ahead log as a number. Raises ValueError."""
    found = _LSN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no position of the write-ahead log")
    return int(found[1], 16) << 32 | int(found[2], 16)


def write_lsn(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def segment_of(lsn: int, timeline: int, segment_bytes: int) -> str:
    """Return the name of the file of the write-ahead log in which this position lies."""
    return _segment_name(lsn // segment_bytes, timeline, segment_bytes)


def next_segment(name: str, segment_bytes: int) -> str:
    """Return the name of the file that follows."""
    return segment_of(end_of_segment(name, segment_bytes), int(name[:8], 16), segment_bytes)


def end_of_segment(name: str, segment_bytes: int) -> int:
    """Return the position after the last one of a file."""
    per_file = 0x100000000 // segment_bytes
    return (int(name[8:16], 16) * per_file + int(name[16:], 16) + 1) * segment_bytes


def is_segment(name: str) -> bool:
    """Say whether a file has the name of a whole one of the write-ahead log."""
    return _SEGMENT.fullmatch(name) is not None


def is_reached(replayed: int, wanted: int) -> bool:
    """Say whether a recovery came as far as it must.

    What was flushed may end at the end of a page, within a record that was not written whole: of
    that the recovery reaches the record before.
    """
    return replayed >= wanted or (wanted % _PAGE_BYTES == 0 and wanted - replayed < 2 * _PAGE_BYTES)


def read_moment(text: str) -> datetime:
    """Return the moment of RFC 3339 that is meant. Raises ValueError without an offset."""
    if _OFFSET.fullmatch(text.strip()) is None:
        raise ValueError(
            f"{text!r} is no moment with an offset, such as 2026-11-20T12:00:00Z or "
            "2026-11-20T13:00:00+01:00"
        )
    return datetime.fromisoformat(text.strip().upper()).astimezone(UTC)


def written(moment: datetime) -> str:
    """Return a moment as people and RFC 3339 write it, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def last_due(schedule: str, now: datetime) -> datetime:
    """Return when a schedule was due last, in UTC, now included. Raises ValueError."""
    found: datetime = croniter(schedule, now + timedelta(seconds=1)).get_prev(datetime)
    return found


def is_due(schedule: str, last_done: datetime | None, now: datetime) -> bool:
    """Say whether a run is due: one that was missed is, once."""
    return last_done is None or last_done < last_due(schedule, now)


def kept_daily(backups: Sequence[K], days: int) -> list[K]:
    """Return the newest backup of each of the last days on which there is one, oldest first."""
    return _newest_each(backups, "%Y-%m-%d", days)


def kept(backups: Sequence[K], days: int) -> set[str]:
    """Return the names of the verified backups that stay.

    Of each of the last `days` days, 8 weeks and 12 months in which there is one the newest, and
    the newest three whatever their age. What counts is that there is one: a clock that leaps
    ends none.
    """
    in_order = sorted(backups, key=lambda backup: backup.ended_at)
    chosen = [
        *in_order[-KEPT_MIN:],
        *kept_daily(backups, days),
        *_newest_each(backups, "%G-%V", KEPT_WEEKS),
        *_newest_each(backups, "%Y-%m", KEPT_MONTHS),
    ]
    return {backup.name for backup in chosen}


def may_forget(backups: Sequence[AgedBackup], now: datetime) -> bool:
    """Say whether the clock may be trusted enough to remove anything after a backup was made.

    Not after a leap of more than two days either way, as seen from the backup before.
    """
    *_, before, newest = sorted(backup.ended_at for backup in backups)
    return timedelta(0) <= newest - before <= LEAP and abs(now - newest) <= LEAP


def _newest_each(backups: Iterable[K], period: str, count: int) -> list[K]:
    newest: dict[str, K] = {}
    for backup in sorted(backups, key=lambda backup: backup.ended_at):
        newest[backup.ended_at.astimezone(UTC).strftime(period)] = backup
    return list(newest.values())[-count:]


def _segment_name(number: int, timeline: int, segment_bytes: int) -> str:
    per_file = 0x100000000 // segment_bytes
    return f"{timeline:08X}{number // per_file:08X}{number % per_file:08X}"
