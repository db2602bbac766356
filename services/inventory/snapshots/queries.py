"""Cutting the ledger into stretches by the time of recording, and summing each by its days."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.snapshots.rules import TOGETHER, Horizon, Recording
from shared.db import get_database_time


async def find_recording(session: AsyncSession) -> Recording:
    """Return since when somebody may be recording.

    A movement's recorded_at is taken in its transaction, after the first lock: whoever is not
    there yet will record at a later time than now.
    """
    await session.execute(_LOOK_ANEW)
    return Recording(*(await session.execute(_RECORDING)).one())


async def find_horizon(session: AsyncSession) -> Horizon:
    """Return how far the ledger goes now: first its number, then the time."""
    after_seq = await session.scalar(_LAST_NUMBER)
    return Horizon(await get_database_time(session), after_seq)


async def list_due_tenants(session: AsyncSession, size: int) -> Sequence[UUID]:
    return (await session.scalars(_DUE_TENANTS, {"size": size})).all()


async def lock_snapshots(session: AsyncSession) -> None:
    """Let those who make a tenant's snapshots take turns."""
    await session.execute(_LOCK)


async def add_snapshots(
    session: AsyncSession, horizon: Horizon, last: RowMapping | None, *, size: int, most: int
) -> int:
    """Cut off so many snapshots at most, of so many rows each; return how many there were."""
    parameters = {
        "known_at": horizon.known_at,
        "horizon": horizon.after_seq,
        "number": last.number if last is not None else 0,
        "since": last.known_at if last is not None else _EVER,
        "after_seq": last.after_seq if last is not None else 0,
        "upto_seq": last.upto_seq if last is not None else 0,
        "size": size,
        "rows": size * most,
    }
    return (await session.execute(_CUT, parameters)).rowcount  # type: ignore[attr-defined,no-any-return]  # a result of INSERT has it.


async def find_last(session: AsyncSession) -> RowMapping | None:
    """Return the newest snapshot, made or not."""
    return (await session.execute(_LAST)).mappings().one_or_none()


async def find_unmade(session: AsyncSession) -> RowMapping | None:
    """Return the first snapshot that is not made, with where it begins."""
    return (await session.execute(_UNMADE)).mappings().one_or_none()


async def sum_items(
    session: AsyncSession, snapshot: RowMapping, *, most: int, busy_from: int
) -> None:
    """Sum the next so many items of a snapshot; after the last it is made."""
    whole = (snapshot["number"] + TOGETHER - 1) // TOGETHER * TOGETHER
    parameters = {**snapshot, "whole": whole, "most": most, "busy_from": busy_from}
    await session.execute(_SUM, parameters)


async def remove_all(session: AsyncSession) -> None:
    await session.execute(_REMOVE_SNAPSHOTS)
    await session.execute(_REMOVE_SUMS)


_EVER = datetime.min.replace(tzinfo=UTC)
_LAST_NUMBER = text("SELECT last_value FROM movement_seq")
_LOOK_ANEW = text("SELECT pg_stat_clear_snapshot()")  # Activity is read once a transaction.
_RECORDING = text("""
    SELECT clock_timestamp(), min(xact_start) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
        AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()""")
_DUE_TENANTS = text("SELECT tenant_id FROM tenants_with_due_snapshots(:size)")
_LOCK = text("SELECT wait_lock('snapshots ' || current_setting('app.tenant', true))")
_LAST = text("""
    SELECT number, known_at, after_seq, upto_seq, made_at
    FROM snapshots ORDER BY number DESC LIMIT 1""")
# A number of the ledger is taken when its row is written, after the time of recording: rows come
# nearly, not quite, in the order of their times. So a stretch is bounded by time, and the numbers
# are only a way to it.
_CUT = text("""
    WITH edge AS MATERIALIZED (
        SELECT max(recorded_at) AS known_at FROM (
            SELECT recorded_at FROM movements
            WHERE seq > :after_seq AND recorded_at > :since AND recorded_at <= :known_at
            ORDER BY seq LIMIT :rows
        ) first
    ), counted AS MATERIALIZED (
        SELECT seq, recorded_at,
               (row_number() OVER (ORDER BY recorded_at, seq) - 1) / :size AS piece
        FROM movements
        WHERE seq > :after_seq AND recorded_at > :since
            AND recorded_at <= (SELECT known_at FROM edge)
    ), cut AS (
        SELECT known_at, row_number() OVER (ORDER BY known_at) AS n
        FROM (SELECT DISTINCT max(recorded_at) AS known_at FROM counted
              GROUP BY piece HAVING count(*) = :size) p
    ), beyond AS MATERIALIZED (
        SELECT (SELECT seq FROM movements
                WHERE seq > :after_seq AND recorded_at > (SELECT known_at FROM edge)
                ORDER BY seq LIMIT 1) AS seq
    )
    INSERT INTO snapshots (number, known_at, after_seq, upto_seq)
    SELECT :number + cut.n, cut.known_at,
           least(CAST(:horizon AS bigint), beyond.seq - 1,
                 (SELECT min(seq) - 1 FROM counted WHERE recorded_at > cut.known_at)),
           greatest(CAST(:upto_seq AS bigint),
                    (SELECT max(seq) FROM counted WHERE recorded_at <= cut.known_at))
    FROM cut CROSS JOIN beyond""")
_UNMADE = text("""
    SELECT s.number, s.known_at, s.upto_seq, s.summed_upto, coalesce(b.after_seq, 0) AS after_seq,
           coalesce(b.known_at, '-infinity') AS since
    FROM snapshots s LEFT JOIN snapshots b ON b.number = s.number - 1
    WHERE s.made_at IS NULL ORDER BY s.number LIMIT 1""")
_IN_STRETCH = """
    seq > :after_seq AND seq <= :upto_seq AND recorded_at > :since AND recorded_at <= :known_at
    AND (CAST(:summed_upto AS uuid) IS NULL OR item_id > :summed_upto)"""
# Months of all items, days of busy ones: when one becomes busy, of all that was recorded of it.
_SUM = text(f"""
    WITH batch AS MATERIALIZED (
        SELECT item_id, count(*) >= :busy_from AS is_busy FROM movements WHERE {_IN_STRETCH}
        GROUP BY item_id ORDER BY item_id LIMIT :most
    ), last AS MATERIALIZED (
        SELECT (SELECT item_id FROM batch ORDER BY item_id DESC LIMIT 1) AS item_id,
               count(*) < :most AS is_all FROM batch
    ), known AS MATERIALIZED (
        SELECT item_id, is_busy, EXISTS (
            SELECT FROM snapshot_sums s WHERE s.item_id = b.item_id AND s.grain = 'day'
        ) AS was_busy
        FROM batch b
    ), moved AS MATERIALIZED (
        SELECT item_id, location_id, lot_id, (occurred_at AT TIME ZONE 'UTC')::date AS day,
               sum(quantity) AS quantity
        FROM movements
        WHERE {_IN_STRETCH} AND item_id <= (SELECT item_id FROM last)
        GROUP BY 1, 2, 3, 4
    ), days AS (
        INSERT INTO snapshot_sums (item_id, grain, number, since, location_id, lot_id, quantity)
        SELECT item_id, 'day', :number, day, location_id, lot_id, quantity
        FROM moved JOIN known USING (item_id) WHERE is_busy OR was_busy
        UNION ALL
        SELECT m.item_id, 'day', s.number, (occurred_at AT TIME ZONE 'UTC')::date, location_id,
               lot_id, sum(quantity)
        FROM known k CROSS JOIN LATERAL (
            SELECT * FROM movements WHERE item_id = k.item_id AND recorded_at <= :since OFFSET 0
        ) m CROSS JOIN LATERAL (
            SELECT number FROM snapshots WHERE known_at >= m.recorded_at ORDER BY known_at LIMIT 1
        ) s
        WHERE k.is_busy AND NOT k.was_busy GROUP BY 1, 3, 4, 5, 6
    ), months AS (
        INSERT INTO snapshot_sums AS s
            (item_id, grain, number, since, location_id, lot_id, quantity)
        SELECT item_id, 'month', :whole, date_trunc('month', day)::date, location_id, lot_id,
               sum(quantity)
        FROM moved GROUP BY item_id, 4, location_id, lot_id
        ON CONFLICT ON CONSTRAINT snapshot_sums_pkey
        DO UPDATE SET quantity = s.quantity + excluded.quantity
    )
    UPDATE snapshots SET summed_upto = coalesce(last.item_id, summed_upto),
        made_at = CASE WHEN last.is_all THEN clock_timestamp() END
    FROM last WHERE number = :number""")  # noqa: S608 - our own text.
_REMOVE_SNAPSHOTS = text("DELETE FROM snapshots")
_REMOVE_SUMS = text("DELETE FROM snapshot_sums")
