"""Entries that a follower could not apply: kept in order, counted, told to operators, retried.

An entry that fails is set aside, and so is what comes after it about the same subject: stock and
value are only right in their order. So a subject stands still as it was before the entry, all
others go on, and nothing is lost. See ADR 0015.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson
from pydantic import ValidationError
from sqlalchemy import JSON, RowMapping, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import utc_now
from shared.ending import is_ending
from shared.errors import Unavailable

FeedEntry = dict[str, Any]  # An entry as the feed gives it, not read yet.
NAMED_MAX = 20  # Entries that `/status` names.
_REASON_LENGTH_MAX = 200
_ROOT = Path(__file__).parents[2]
# Classes of SQLSTATE that say nothing of the entry: connections, deadlocks, resources, locks,
# operators, and statements that this release of the schema does not know.
_TRANSIENT_CLASSES = {"08", "25", "28", "40", "42", "53", "55", "57", "58", "F0", "XX"}


class UnknownVersionError(Exception):
    """The entry is of a later version than this release reads."""


class NoObjectError(Exception):
    """What the entry says is no JSON object."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an entry could not be applied; without an error it waits behind one of its subject."""

    entry: FeedEntry
    error: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, entry: FeedEntry, error: Exception) -> "Failure":
        return cls(entry, type(_innermost(error)).__name__, _reason(error)[:_REASON_LENGTH_MAX])


def is_transient(error: Exception) -> bool:
    """Say whether the same entry may well be applied in a moment: the fault is around it."""
    if is_ending():
        return True
    found = _innermost(error)
    if isinstance(found, asyncpg.PostgresError):
        return (found.sqlstate or "XX")[:2] in _TRANSIENT_CLASSES
    if isinstance(found, ValueError):  # Also what the driver refuses to send.
        return False
    return isinstance(
        found,
        OSError
        | Unavailable
        | httpx.HTTPError
        | asyncpg.InterfaceError
        | SQLAlchemyError
        | MemoryError,
    )


async def count_by_tenant(session: AsyncSession, producer: str) -> dict[UUID, int]:
    """Return how many of a producer's entries are aside, by tenant; the session may have none."""
    rows = await session.execute(_COUNT, {"producer": producer})
    return {row.tenant_id: row.entries for row in rows}


async def list_subjects(session: AsyncSession, producer: str) -> Sequence[str]:
    """Return what entries of the session's tenant are aside about, the oldest entry first."""
    return (await session.scalars(_SUBJECTS, {"producer": producer})).all()


async def list_entries(
    session: AsyncSession, producer: str, subject: str, *, limit: int
) -> list[FeedEntry]:
    """Return the session's tenant's entries about a subject, in their order."""
    rows = await session.scalars(
        _ENTRIES, {"producer": producer, "subject": subject, "limit": limit}
    )
    return list(rows)


async def set_aside(session: AsyncSession, producer: str, failures: Sequence[Failure]) -> None:
    """Keep what the session's tenant's read models lack; what is kept counts as tried again."""
    now = utc_now()
    rows = [
        {
            "producer": producer,
            "xid": failure.entry["xid"],
            "seq": failure.entry["seq"],
            "type": failure.entry["type"],
            "subject": failure.entry["subject"],
            "entry": orjson.dumps(failure.entry).decode(),
            "error": failure.error,
            "reason": failure.reason,
            "attempts": int(failure.error is not None),
            "now": now,
        }
        for failure in failures
    ]
    if rows:
        await session.execute(_SET_ASIDE, rows)


async def take_back(session: AsyncSession, producer: str, entries: Sequence[FeedEntry]) -> None:
    """Remove entries of the session's tenant that are applied now."""
    places = [{"producer": producer, "xid": e["xid"], "seq": e["seq"]} for e in entries]
    if places:
        await session.execute(_TAKE_BACK, places)


async def forget(session: AsyncSession, producer: str) -> None:
    """Remove all of a producer's entries: its journal is about to be read from the start."""
    await session.execute(_FORGET, {"producer": producer})


async def is_incomplete(session: AsyncSession) -> bool:
    """Say whether the read models of the session's tenant lack an entry that was there before.

    One was set aside, or all are read anew after a rebuild. To be asked after reading them.
    """
    return bool(await session.scalar(_IS_INCOMPLETE))


async def is_rebuilding(session: AsyncSession) -> bool:
    """Say whether the read models of all tenants are read anew after a rebuild."""
    return bool(await session.scalar(_IS_REBUILDING))


async def summarize(session: AsyncSession) -> tuple[dict[str, int], Sequence[RowMapping]]:
    """Return how many entries are aside by producer, and the oldest ones that failed.

    Nothing for a service that follows nobody and so has no such table.
    """
    if await session.scalar(_TABLE) is None:
        return {}, []
    counted = {row.producer: int(row.entries) for row in await session.execute(_COUNT_ALL)}
    named = (await session.execute(_NAMED, {"most": NAMED_MAX})).mappings().all()
    return counted, named


def _innermost(error: BaseException) -> BaseException:
    """Return the error that the others were raised from: the database's own, where it is one."""
    found = error
    while inner := getattr(found, "orig", None) or found.__cause__:
        found = inner
    return found


def _reason(error: Exception) -> str:
    """Return a short reason that tells nothing of what the entry says."""
    found = _innermost(error)
    if isinstance(found, ValidationError):
        wrong = found.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(
            f"{'.'.join(str(part) for part in place['loc'])}: {place['type']}" for place in wrong
        )
    if isinstance(found, asyncpg.PostgresError):
        where = found.constraint_name or found.column_name or found.table_name or ""
        return f"{found.sqlstate} {where}".strip()
    if isinstance(found, UnknownVersionError | NoObjectError):
        return str(found)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT)]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


_COUNT = text("SELECT tenant_id, entries FROM count_set_aside() WHERE producer = :producer")
_COUNT_ALL = text(
    "SELECT producer, sum(entries) AS entries FROM count_set_aside() GROUP BY producer"
)
_SUBJECTS = text("""
    SELECT subject FROM entries_set_aside WHERE producer = :producer
    GROUP BY subject ORDER BY min(seq)""")
_ENTRIES = text("""
    SELECT entry FROM entries_set_aside WHERE producer = :producer AND subject = :subject
    ORDER BY xid, seq LIMIT :limit""").columns(entry=JSON)
_SET_ASIDE = text("""
    INSERT INTO entries_set_aside AS a (producer, xid, seq, type, subject, entry, error, reason,
                                        attempts, first_at, last_at)
    VALUES (:producer, :xid, :seq, :type, :subject, CAST(:entry AS json), :error, :reason,
            :attempts, :now, :now)
    ON CONFLICT ON CONSTRAINT entries_set_aside_pkey DO UPDATE SET
        error = excluded.error, reason = excluded.reason,
        attempts = CASE WHEN excluded.error IS NULL THEN 0 ELSE a.attempts + 1 END,
        last_at = excluded.last_at""")
_TAKE_BACK = text(
    "DELETE FROM entries_set_aside WHERE producer = :producer AND xid = :xid AND seq = :seq"
)
_FORGET = text("SELECT forget_set_aside(:producer)")
_REBUILDING = """EXISTS (
    SELECT FROM rebuilds r JOIN follower_cursors c USING (producer)
    WHERE (c.xid, c.seq) < (r.xid, r.seq))"""
_IS_REBUILDING = text(f"SELECT {_REBUILDING}")
_IS_INCOMPLETE = text(
    f"SELECT EXISTS (SELECT FROM entries_set_aside) OR {_REBUILDING}"  # noqa: S608 - our own text.
)
_TABLE = text("SELECT to_regclass('entries_set_aside')")
_NAMED = text("SELECT * FROM list_set_aside(:most)")
