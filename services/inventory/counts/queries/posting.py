"""What posting leaves behind, and what stands in its way."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import Level
from shared.principal import Places


class Posted(NamedTuple):
    """What became of a line."""

    number: int
    item_id: UUID
    location_id: UUID
    lot_id: UUID
    result: str
    counted: Decimal | None
    counted_at: datetime | None
    expected: Decimal | None
    moved: bool
    movement_id: UUID | None


async def write_results(session: AsyncSession, count_id: UUID, results: Sequence[Posted]) -> None:
    """Write what became of the lines."""
    columns = [list(column) for column in zip(*results, strict=True)]
    if not columns:
        return
    names: Mapping[str, Any] = dict(zip(Posted._fields, columns, strict=True))
    await session.execute(_WRITE_RESULTS, {**names, "count_id": count_id})


async def list_holds(
    session: AsyncSession, levels: Collection[Level], now: datetime, *, places: Places
) -> Sequence[RowMapping]:
    """Return the reservations that hold something at these levels now, and nothing elsewhere.

    Elsewhere is where none of the places is: nobody knows of a reservation in part.
    """
    columns = [list(column) for column in zip(*levels, strict=True)] or [[], [], []]
    names: dict[str, Any] = dict(zip(("items", "locations", "lots"), columns, strict=True))
    names |= {"now": now, "places": None if places is None else list(places)}
    return (await session.execute(_HOLDS, names)).mappings().all()


_WRITE_RESULTS = text("""
    INSERT INTO count_lines (count_id, number, item_id, location_id, lot_id, found, result, counted,
                             counted_at, expected, moved, movement_id)
    SELECT :count_id, number, item_id, location_id, lot_id, false, result, counted, counted_at,
           expected, moved, movement_id
    FROM unnest(CAST(:number AS int[]), CAST(:item_id AS uuid[]), CAST(:location_id AS uuid[]),
                CAST(:lot_id AS uuid[]), CAST(:result AS text[]), CAST(:counted AS numeric[]),
                CAST(:counted_at AS timestamptz[]), CAST(:expected AS numeric[]),
                CAST(:moved AS bool[]), CAST(:movement_id AS uuid[]))
        AS w(number, item_id, location_id, lot_id, result, counted, counted_at, expected, moved,
             movement_id)
    ON CONFLICT ON CONSTRAINT count_lines_pkey DO UPDATE
    SET result = excluded.result, counted = excluded.counted, counted_at = excluded.counted_at,
        expected = excluded.expected, moved = excluded.moved, movement_id = excluded.movement_id
""")
_HOLDS = text("""
    SELECT h.item_id, h.location_id, h.lot_id, h.reservation_id, r.reference, sum(h.held) AS held
    FROM unnest(CAST(:items AS uuid[]), CAST(:locations AS uuid[]), CAST(:lots AS uuid[]))
        AS w(item_id, location_id, lot_id)
    CROSS JOIN LATERAL (
        SELECT * FROM reservation_holds
        WHERE item_id = w.item_id AND location_id = w.location_id AND lot_id = w.lot_id
            AND held > 0 AND expires_at > :now OFFSET 0
    ) h
    CROSS JOIN LATERAL (
        SELECT reference FROM reservations WHERE id = h.reservation_id OFFSET 0
    ) r
    WHERE CAST(:places AS uuid[]) IS NULL OR NOT EXISTS (
        SELECT FROM reservation_holds
        WHERE reservation_id = h.reservation_id AND location_id <> ALL(CAST(:places AS uuid[])))
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4""")
