"""Following another service's journal: its changes, applied here exactly once in effect.

An entry that cannot be applied is set aside (`aside.py`) and stops nobody else.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import httpx
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import metrics, tracing
from shared.clock import utc_now
from shared.db import Database, Stamp
from shared.db.database import set_tenant
from shared.ending import is_ending
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.journal import aside
from shared.journal.apply import Follower, apply_apart, apply_whole
from shared.journal.aside import Failure, FeedEntry
from shared.journal.wake import Waker
from shared.log import log

PAGE_LIMIT = 1000
GATHER_S = 0.5  # A page costs as much as fifty entries: a busy journal is read twice a second.
POLL_INTERVAL_S = 1.0
RETRY_DELAY_S = 1.0
NOTE_INTERVAL_S = 10.0
STILL_AFTER = timedelta(seconds=60)
RETRY_AT_START_S = 30.0  # What is aside is tried again for so long before following goes on.
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


async def follow(
    follower: Follower, database: Database, client: ServiceClient, waker: Waker
) -> None:
    """Apply the producer's journal for ever; with the producer away, wait and try again.

    First of all what was set aside is tried again: this may be the release that can read it.
    """
    retried, noted_at = False, -math.inf
    while True:
        try:
            if not retried:
                await retry(follower, database, time_limit_s=RETRY_AT_START_S)
                retried = True
            applied = await apply_page(follower, database, client)
            if time.monotonic() - noted_at >= NOTE_INTERVAL_S:
                await note_reading(follower, database)
                noted_at = time.monotonic()
        except Unavailable:
            log.warning("producer away", producer=follower.producer)
            await asyncio.sleep(RETRY_DELAY_S)
            continue
        except Exception:
            if is_ending():
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
    other, finding that the cursor moved, drops its copy. A page with an entry that cannot be
    applied is rolled back, and applied again with such entries set aside.
    """
    cursor = await _read_cursor(database, follower.producer)
    page = await client.get_json(
        follower.producer,
        "/internal/journal",
        {"after_xid": cursor[0], "after_seq": cursor[1], "limit": PAGE_LIMIT},
    )
    entries: list[FeedEntry] = page["entries"]
    _report_lag(follower.producer, entries, page["head_seq"])
    if not entries:
        return 0
    try:
        with tracing.spanning(f"follow {follower.producer}"):
            await _apply_page(follower, database, cursor, entries)
    except Exception as error:
        if aside.is_transient(error):
            raise
        failures = await _apply_page(follower, database, cursor, entries, apart=True)
        for failure in failures:
            log.error(
                "entry set aside",
                producer=follower.producer,
                seq=failure.entry["seq"],
                type=failure.entry["type"],
                error=failure.error,
                reason=failure.reason,
            )
    return len(entries)


async def note_reading(follower: Follower, database: Database) -> None:
    """Note that the follower read just now and got on with what it found."""
    async with database.transaction(_stamp(follower)) as session:
        await session.execute(_NOTE_READING, {"producer": follower.producer})


async def list_standing_still(session: AsyncSession) -> Sequence[str]:
    """Return the producers whose journals nobody here follows any more, though somebody did."""
    return (await session.scalars(_STANDING_STILL, {"since": STILL_AFTER})).all()


async def retry(
    follower: Follower, database: Database, *, time_limit_s: float = math.inf
) -> tuple[int, int]:
    """Try what is aside again, each subject's entries in their order, the oldest subject first.

    Return how many entries are applied now, and how many are left.
    """
    give_up_at, applied = time.monotonic() + time_limit_s, 0
    for tenant_id in await _count_aside(follower, database):
        async with database.transaction(_stamp(follower, tenant_id)) as session:
            subjects = await aside.list_subjects(session, follower.producer)
        for subject in subjects:
            more = True
            while more and time.monotonic() < give_up_at:
                done = await _retry_subject(follower, database, tenant_id, subject)
                applied, more = applied + done, done == PAGE_LIMIT
    return applied, sum((await _count_aside(follower, database)).values())


async def is_whole(follower: Follower, client: ServiceClient) -> bool:
    """Say whether the producer's journal can be followed from its first entry.

    Raises Unavailable where it cannot be asked.
    """
    begin = {"after_xid": 0, "after_seq": 0, "limit": 1}
    try:
        await client.get_json(follower.producer, "/internal/journal", begin)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != HTTPStatus.GONE:
            raise
        return False
    return True


async def rebuild(followers: Sequence[Follower], database: Database) -> None:
    """Forget the read models and start over from the first entry of each journal.

    Waits for those who `hold_off`. Until a cursor is where it was, what is read is incomplete.
    """
    async with database.transaction(Stamp(None, "rebuild")) as session:
        await session.execute(_BEGIN_REBUILD)
        for follower in followers:
            await session.execute(_REMEMBER, {"producer": follower.producer})
            await session.execute(_REWIND, {"producer": follower.producer})
            await aside.forget(session, follower.producer)
        await session.execute(_CLEAR)


async def hold_off(session: AsyncSession) -> None:
    """Let no rebuild begin until the transaction ends: what is read from here on belongs together.

    Cursors and read models are emptied at once, but read one after the other.
    """
    await session.execute(_HOLD_OFF)


async def _apply_page(
    follower: Follower,
    database: Database,
    cursor: tuple[int, int],
    entries: Sequence[FeedEntry],
    *,
    apart: bool = False,
) -> list[Failure]:
    """Apply a page if the cursor still stands before it; return which entries failed."""
    failed: list[Failure] = []
    async with database.transaction(_stamp(follower)) as session:
        if await _lock_cursor(session, follower.producer) != cursor:
            return []
        behind = await aside.count_by_tenant(session, follower.producer)
        by_tenant = itemgetter("tenant_id")
        for tenant_id, group in groupby(sorted(entries, key=by_tenant), by_tenant):
            run, tenant = list(group), UUID(tenant_id)
            await set_tenant(session, tenant)
            if not apart and tenant not in behind:
                await apply_whole(session, follower, run)
                continue
            blocked = set(await aside.list_subjects(session, follower.producer))
            failures = await apply_apart(session, follower, run, blocked)
            await aside.set_aside(session, follower.producer, failures)
            failed += [failure for failure in failures if failure.error]
        await _save_cursor(session, follower.producer, entries[-1])
    return failed


async def _retry_subject(
    follower: Follower, database: Database, tenant_id: UUID, subject: str
) -> int:
    """Try a page of entries about a subject again; return how many are applied now."""
    async with database.transaction(_stamp(follower, tenant_id)) as session:
        await _lock_cursor(session, follower.producer)
        entries = await aside.list_entries(session, follower.producer, subject, limit=PAGE_LIMIT)
        failures = await apply_apart(session, follower, entries, set())
        left = {failure.entry["seq"] for failure in failures}
        applied = [entry for entry in entries if entry["seq"] not in left]
        await aside.take_back(session, follower.producer, applied)
        await aside.set_aside(session, follower.producer, failures)
    return len(applied)


async def _count_aside(follower: Follower, database: Database) -> dict[UUID, int]:
    async with database.transaction(_stamp(follower)) as session:
        return await aside.count_by_tenant(session, follower.producer)


def _report_lag(producer: str, entries: Sequence[FeedEntry], head_seq: int) -> None:
    behind = max(head_seq - entries[-1]["seq"], 0) if entries else 0
    recorded_at = _recorded_at(entries[-1]) if behind else None
    oldest = recorded_at.timestamp() if recorded_at else time.time()
    metrics.journal_lag_entries.labels(producer).set(behind)
    metrics.journal_lag_seconds.labels(producer).set(max(time.time() - oldest, 0.0))


def _recorded_at(entry: FeedEntry) -> datetime | None:
    """Return when an entry was recorded; None where that cannot be read."""
    try:
        return _MOMENT.validate_python(entry["recorded_at"])
    except ValidationError:
        return None


def _stamp(follower: Follower, tenant_id: UUID | None = None) -> Stamp:
    return Stamp(tenant_id, f"follower:{follower.producer}")


async def _read_cursor(database: Database, producer: str) -> tuple[int, int]:
    async with database.transaction(Stamp(None, "follower")) as session:
        row = (await session.execute(_READ_CURSOR, {"producer": producer})).one_or_none()
        if row is None:
            await session.execute(_CREATE_CURSOR, {"producer": producer})
        counted = await aside.count_by_tenant(session, producer)
    metrics.journal_entries_set_aside.labels(producer).set(sum(counted.values()))
    return (row.xid, row.seq) if row else (0, 0)


async def _lock_cursor(session: AsyncSession, producer: str) -> tuple[int, int]:
    row = (await session.execute(_LOCK_CURSOR, {"producer": producer})).one()
    return row.xid, row.seq


async def _save_cursor(session: AsyncSession, producer: str, last: FeedEntry) -> None:
    await session.execute(
        _SAVE_CURSOR,
        {
            "producer": producer,
            "xid": last["xid"],
            "seq": last["seq"],
            "recorded_at": _recorded_at(last),
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
    SET xid = :xid, seq = :seq, recorded_at = coalesce(:recorded_at, recorded_at),
        applied_at = :applied_at
    WHERE producer = :producer""")
_NOTE_READING = text(
    "UPDATE follower_cursors SET read_at = clock_timestamp() WHERE producer = :producer"
)
_STANDING_STILL = text("""
    SELECT producer FROM follower_cursors
    WHERE read_at < clock_timestamp() - CAST(:since AS interval) ORDER BY producer""")
_BEGIN_REBUILD = text("SELECT wait_lock('rebuild')")
_HOLD_OFF = text("SELECT wait_lock_shared('rebuild')")
# A rebuild that begins before the last one is done ends where that one would have ended.
_REMEMBER = text("""
    INSERT INTO rebuilds AS r (producer, xid, seq)
    SELECT producer, xid, seq FROM follower_cursors WHERE producer = :producer FOR UPDATE
    ON CONFLICT ON CONSTRAINT rebuilds_pkey DO UPDATE SET xid = excluded.xid, seq = excluded.seq
    WHERE (excluded.xid, excluded.seq) > (r.xid, r.seq)""")
_REWIND = text("""
    UPDATE follower_cursors SET xid = 0, seq = 0, recorded_at = NULL, applied_at = NULL
    WHERE producer = :producer""")
_CLEAR = text("SELECT clear_read_models()")
