"""Lines of counts with what is expected of them: what lay at their levels when they were counted.

Stock is read as it is now, less what happened since the instant: only where the level has moved
after it are movements read, and of these only the months since then.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.counts.schemas import Shown
from services.inventory.ledger.rules import Reference
from services.inventory.openings.rules import SINCE
from shared.principal import Places


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines of a count to list; None means any."""

    places: Places = None
    show: Shown | None = None
    item: Reference | None = None
    location: Reference | None = None


async def list_lines(
    session: AsyncSession,
    count_id: UUID,
    wanted: LineFilter,
    *,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Return lines after a number, in their order.

    They are read in that order, each with an index look-up of its own, so a page ends when it is
    full, whatever statistics say of a count that was just opened.
    """
    conditions = ["true"]
    names: dict[str, Any] = {"count_id": count_id, "after": after, "limit": limit}
    names["places"] = None if wanted.places is None else list(wanted.places)
    if wanted.show is not None:
        conditions.append(_SHOWN[wanted.show])
    if wanted.item is not None:
        conditions.append(_OF_ITEM)
        names |= {"item_id": wanted.item.id, "item_key": wanted.item.key}
    if wanted.location is not None:
        conditions.append(_AT_LOCATION)
        names |= {"location_id": wanted.location.id, "name_key": wanted.location.key}
    statement = f"{_LINES} WHERE {' AND '.join(conditions)} ORDER BY l.number LIMIT :limit"
    return (await session.execute(text(statement), names)).mappings().all()


async def sum_up(session: AsyncSession, count_id: UUID, *, places: Places) -> RowMapping:
    """Return how many lines are how far, at the places."""
    [sums] = await _asked(session, _SUMS, count_id, places)
    return sums


async def sum_differences(
    session: AsyncSession, count_id: UUID, *, places: Places
) -> Sequence[RowMapping]:
    """Return by item how much more and how much less there is, with its sealed unit cost."""
    return await _asked(session, _DIFFERENCES, count_id, places)


async def list_entries(
    session: AsyncSession, count_id: UUID, numbers: Collection[int]
) -> Sequence[RowMapping]:
    """Return what was said of these lines, in the order in which it was counted."""
    names = {"count_id": count_id, "numbers": list(numbers)}
    return (await session.execute(_ENTRIES, names)).mappings().all()


async def find_stock_then(
    session: AsyncSession, asked: Sequence[tuple[tuple[UUID, UUID, UUID], datetime]]
) -> list[Decimal]:
    """Return what lay at each of these levels at its instant."""
    if not asked:
        return []
    rows = [(*level, at) for level, at in asked]
    columns = [list(column) for column in zip(*rows, strict=True)]
    names: Mapping[str, Any] = dict(
        zip(("items", "locations", "lots", "instants"), columns, strict=True)
    )
    return list(await session.scalars(_THEN, names))


def _lay(at: str) -> str:
    """Return what lay at the level v at an instant; what lies there now for null.

    Of a time before the ledger begins that is not known: null.
    """
    return f"""
        coalesce(v.on_hand, 0) - CASE WHEN {at} < ({SINCE}) THEN NULL WHEN v.moved_at > {at} THEN (
            SELECT coalesce(sum(m.quantity), 0) FROM movements m
            WHERE m.item_id = v.item_id AND m.location_id = v.location_id
                AND m.lot_id = v.lot_id AND m.occurred_at > {at}
                AND m.recorded_at >= {at} - interval '6 minutes') ELSE 0 END"""  # noqa: S608 - of a column of ours.


async def _asked(
    session: AsyncSession, statement: str, count_id: UUID, places: Places
) -> Sequence[RowMapping]:
    names = {"count_id": count_id, "after": 0, "places": None if places is None else list(places)}
    return (await session.execute(text(statement), names)).mappings().all()


_EXPECTED = f"coalesce(l.expected, {_lay('l.counted_at')})"
_VARIANCE = "l.counted - e.expected"
_BEYOND = f"""coalesce(abs({_VARIANCE}) > greatest(
        c.tolerance_quantity, c.tolerance_percent * e.expected / 100), false)"""
_LINES = f"""
    SELECT l.number, l.item_id, i.code AS item, l.location_id, p.name AS location, l.lot_id,
           coalesce(t.code, l.serial) AS lot, i.unit, i.tracking, l.found, l.round, l.counted,
           l.counted_at, l.disputed, l.result, l.movement_id, e.expected, {_VARIANCE} AS variance,
           {_BEYOND} AS beyond_tolerance,
           coalesce(l.moved, v.moved_at > c.opened_at, false) AS moved,
           i.cost_id, r.amount AS cost_sealed
    FROM (
        SELECT * FROM count_lines
        WHERE count_id = :count_id AND number > :after
            AND (CAST(:places AS uuid[]) IS NULL OR location_id = ANY(CAST(:places AS uuid[])))
        ORDER BY number OFFSET 0
    ) l
    CROSS JOIN LATERAL (SELECT * FROM counts WHERE id = l.count_id OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT code, unit, tracking, cost_id FROM items WHERE id = l.item_id OFFSET 0
    ) i
    CROSS JOIN LATERAL (SELECT name FROM locations WHERE id = l.location_id OFFSET 0) p
    LEFT JOIN LATERAL (SELECT code FROM lots WHERE id = l.lot_id OFFSET 0) t ON true
    LEFT JOIN LATERAL (
        SELECT * FROM levels WHERE item_id = l.item_id AND location_id = l.location_id
            AND lot_id = l.lot_id OFFSET 0
    ) v ON true
    LEFT JOIN LATERAL (SELECT amount FROM prices WHERE id = i.cost_id OFFSET 0) r ON true
    CROSS JOIN LATERAL (SELECT {_EXPECTED} AS expected) e"""  # noqa: S608 - made of our own names.
_SHOWN: Mapping[str, str] = {
    "uncounted": "l.counted IS NULL AND NOT l.found",
    "counted": "l.counted IS NOT NULL",
    "found": "l.found",
    "recount": "l.counted IS NULL AND l.round > 1",
    "disputed": "l.disputed",
    "differing": f"{_VARIANCE} <> 0",
    "beyond_tolerance": _BEYOND,
}
_OF_ITEM = """l.item_id = (SELECT coalesce(
    CAST(:item_id AS uuid), (SELECT item_id FROM identifiers WHERE key = :item_key)))"""
_AT_LOCATION = """l.location_id = (SELECT coalesce(
    CAST(:location_id AS uuid), (SELECT id FROM locations WHERE name_key = :name_key)))"""
_SUMS = f"""
    SELECT count(*) AS lines, count(counted) AS counted, count(*) FILTER (WHERE found) AS found,
           count(*) FILTER (WHERE counted IS NULL AND NOT found) AS uncounted,
           count(*) FILTER (WHERE counted IS NULL AND round > 1) AS to_recount,
           count(*) FILTER (WHERE disputed) AS disputed,
           count(*) FILTER (WHERE variance <> 0) AS differing,
           count(*) FILTER (WHERE beyond_tolerance) AS beyond_tolerance,
           count(*) FILTER (WHERE moved) AS moved,
           max(round) AS round
    FROM ({_LINES}) each"""  # noqa: S608 - made of our own names.
_DIFFERENCES = f"""
    SELECT item_id, cost_id, cost_sealed, sum(variance) FILTER (WHERE variance > 0) AS more,
           -sum(variance) FILTER (WHERE variance < 0) AS less
    FROM ({_LINES}) each WHERE variance <> 0 GROUP BY 1, 2, 3"""  # noqa: S608 - made of our own names.
_ENTRIES = text("""
    SELECT id, seq, number, round, quantity, adds, counter, counter_id, counted_at, entered_at
    FROM (
        SELECT CAST(:count_id AS uuid) AS count_id, line
        FROM unnest(CAST(:numbers AS int[])) AS sent(line) OFFSET 0
    ) w
    CROSS JOIN LATERAL (
        SELECT * FROM count_entries WHERE count_id = w.count_id AND number = w.line OFFSET 0
    ) e
    ORDER BY number, counted_at, seq""")
_THEN = text(f"""
    SELECT {_lay("w.at")}
    FROM unnest(CAST(:items AS uuid[]), CAST(:locations AS uuid[]), CAST(:lots AS uuid[]),
                CAST(:instants AS timestamptz[]))
        WITH ORDINALITY AS w(item_id, location_id, lot_id, at, n)
    LEFT JOIN LATERAL (
        SELECT * FROM levels WHERE item_id = w.item_id AND location_id = w.location_id
            AND lot_id = w.lot_id OFFSET 0
    ) v ON true
    ORDER BY w.n""")  # noqa: S608 - made of our own names.
