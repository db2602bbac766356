"""Following another service's journal: its changes, applied here exactly once in effect."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import metrics
from shared.clock import utc_now
from shared.db import Database, Stamp
from shared.db.database import set_tenant
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.journal.entries import JournalEntry
from shared.journal.wake import Waker
from shared.log import log

Handler = Callable[[AsyncSession, Sequence[JournalEntry]], Awaitable[None]]
PAGE_LIMIT = 1000
GATHER_S = 0.5  # A page costs as much as fifty entries: a busy journal is read twice a second.
POLL_INTERVAL_S = 1.0
RETRY_DELAY_S = 1.0


@dataclass(frozen=True, slots=True)
class Follower:
    """Whose journal, which entries, and what to do with them.

    `apply` gets entries of one tenant, in order, in a transaction that works for that tenant.
    """

    producer: str
    types: frozenset[str] | None  # None: all of them.
    apply: Handler


async def follow(
    follower: Follower, database: Database, client: ServiceClient, waker: Waker
) -> None:
    """Apply the producer's journal for ever; with the producer away, wait and try again.

    A driver that is just connecting turns a cancellation into an error of its own, hence the look
    whether this task was cancelled.
    """
    task = asyncio.current_task()
    while True:
        try:
            applied = await apply_page(follower, database, client)
        except Unavailable:
            log.warning("producer away", producer=follower.producer)
            await asyncio.sleep(RETRY_DELAY_S)
            continue
        except Exception:
            if task is not None and task.cancelling():
                raise
            log.exception("following failed", producer=follower.producer)
            await asyncio.sleep(RETRY_DELAY_S)
            continue
        if not applied:
            await waker.wait(follower.producer, POLL_INTERVAL_S)
        elif applied < PAGE_LIMIT:
            await asyncio.sleep(GATHER_S)


async def apply_page(follower: Follower, database: Database, client: ServiceClient) -> int:
    """Read one page, then apply it and move the cursor in one transaction; return its size.

    The cursor is compared under lock: of two followers at work one applies the page and the
    other, finding that the cursor moved, drops its copy.
    """
    cursor = await _read_cursor(database, follower.producer)
    page = await client.get_json(
        follower.producer,
        "/internal/journal",
        {"after_xid": cursor[0], "after_seq": cursor[1], "limit": PAGE_LIMIT},
    )
    entries = [JournalEntry.model_validate(entry) for entry in page["entries"]]
    _report_lag(follower.producer, entries, page["head_seq"])
    if not entries:
        return 0
    async with database.transaction(_stamp(follower)) as session:
        if await _lock_cursor(session, follower.producer) != cursor:
            return len(entries)
        for tenant_id, group in groupby(
            sorted(_wanted(follower, entries), key=lambda e: e.tenant_id), lambda e: e.tenant_id
        ):
            await set_tenant(session, tenant_id)
            await follower.apply(session, list(group))
        await _save_cursor(session, follower.producer, entries[-1])
    return len(entries)


async def rebuild(followers: Sequence[Follower], database: Database) -> None:
    """Forget the read models and start over from the first entry of each journal."""
    async with database.transaction(Stamp(None, "rebuild")) as session:
        for follower in followers:
            await session.execute(_REWIND, {"producer": follower.producer})
        await session.execute(_CLEAR)


def _wanted(follower: Follower, entries: list[JournalEntry]) -> list[JournalEntry]:
    if follower.types is None:
        return entries
    return [entry for entry in entries if entry.type in follower.types]


def _report_lag(producer: str, entries: list[JournalEntry], head_seq: int) -> None:
    behind = max(head_seq - entries[-1].seq, 0) if entries else 0
    oldest = entries[-1].recorded_at.timestamp() if behind else time.time()
    metrics.journal_lag_entries.labels(producer).set(behind)
    metrics.journal_lag_seconds.labels(producer).set(max(time.time() - oldest, 0.0))


def _stamp(follower: Follower) -> Stamp:
    return Stamp(None, f"follower:{follower.producer}")


async def _read_cursor(database: Database, producer: str) -> tuple[int, int]:
    async with database.transaction(Stamp(None, "follower")) as session:
        row = (await session.execute(_READ_CURSOR, {"producer": producer})).one_or_none()
        if row is None:
            await session.execute(_CREATE_CURSOR, {"producer": producer})
    return (row.xid, row.seq) if row else (0, 0)


async def _lock_cursor(session: AsyncSession, producer: str) -> tuple[int, int]:
    row = (await session.execute(_LOCK_CURSOR, {"producer": producer})).one()
    return row.xid, row.seq


async def _save_cursor(session: AsyncSession, producer: str, last: JournalEntry) -> None:
    await session.execute(
        _SAVE_CURSOR,
        {
            "producer": producer,
            "xid": last.xid,
            "seq": last.seq,
            "recorded_at": last.recorded_at,
            "applied_at": utc_now(),
        },
    )


_READ_CURSOR = text("SELECT xid, seq FROM follower_cursors WHERE producer = :producer")
_CREATE_CURSOR = text(
    "INSERT INTO follower_cursors (producer) VALUES (:producer) ON CONFLICT DO NOTHING"
)
_LOCK_CURSOR = text("SELECT xid, seq FROM follower_cursors WHERE producer = :producer FOR UPDATE")
_SAVE_CURSOR = text("""
    UPDATE follower_cursors
    SET xid = :xid, seq = :seq, recorded_at = :recorded_at, applied_at = :applied_at
    WHERE producer = :producer""")
_REWIND = text("UPDATE follower_cursors SET xid = 0, seq = 0 WHERE producer = :producer")
_CLEAR = text("SELECT clear_read_models()")
