"""What counters say, in one statement for each step, however many lines there are.

Tables are met only through an index look-up of each row's own, as in the ledger's: a count has just
got ten thousand lines of which no statistics know. The id of the count is a column of what is
asked: of a value the planner would look up how often it was there when statistics were made, and
find never.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import Level, Lot, Lots, Reference, Spot

Named = tuple[Reference, Reference, str | None]  # An item, a location, and the key of a lot.


class NewEntry(NamedTuple):
    """An entry to write."""

    id: UUID
    number: int
    round: int
    quantity: Decimal | None
    adds: bool
    given_quantity: Decimal | None
    given_unit: str | None
    counted_at: datetime


class LineFigure(NamedTuple):
    """What a line counts, if anything."""

    number: int
    counted: Decimal | None = None
    counted_at: datetime | None = None
    is_disputed: bool = False


class NamedSpots(NamedTuple):
    """What items, locations and lots are called by; nothing of it is locked."""

    spots: Mapping[tuple[Reference, Reference], Spot]
    categories: Mapping[UUID, UUID | None]  # By item.
    lots: Lots


async def find_spots(session: AsyncSession, named: Collection[Named]) -> NamedSpots:
    """Return the items, locations and lots that these name."""
    ordered = list(named)
    names = {
        "item_ids": [item.id for item, _, _ in ordered],
        "item_keys": [item.key for item, _, _ in ordered],
        "place_ids": [place.id for _, place, _ in ordered],
        "place_keys": [place.key for _, place, _ in ordered],
        "lot_keys": [lot for _, _, lot in ordered],
    }
    spots: dict[tuple[Reference, Reference], Spot] = {}
    categories: dict[UUID, UUID | None] = {}
    lots = Lots()
    for row in await session.execute(_SPOTS, names):
        item, place, lot_key = ordered[row.n - 1]
        spots[item, place] = Spot(
            row.item_id, row.code, row.active, None, row.place_id, row.place, row.place_active,
            row.unit, row.packs, row.named_unit, None, row.is_transit, row.tracking,
        )  # fmt: skip
        if row.item_id is not None:
            categories[row.item_id] = row.category_id
            if lot_key is not None and row.lot_id is not None:
                lots.named[row.item_id, lot_key] = Lot(row.lot_id, row.lot, row.expires_on)
    return NamedSpots(spots, categories, lots)


async def find_lines(
    session: AsyncSession, count_id: UUID, levels: Collection[Level]
) -> dict[Level, RowMapping]:
    """Return the lines of a count at these levels."""
    columns = [list(column) for column in zip(*levels, strict=True)] or [[], [], []]
    names: dict[str, Any] = {"count_id": count_id}
    names |= dict(zip(("items", "locations", "lots"), columns, strict=True))
    rows = (await session.execute(_LINES_AT, names)).mappings()
    return {(row["item_id"], row["location_id"], row["lot_id"]): row for row in rows}


async def find_known_entries(
    session: AsyncSession, count_id: UUID, ids: Collection[UUID]
) -> dict[UUID, RowMapping]:
    """Return the entries of a count that have these ids."""
    names = {"count_id": count_id, "ids": list(ids)}
    rows = (await session.execute(_KNOWN, names)).mappings()
    return {row["id"]: row for row in rows}


async def add_entries(
    session: AsyncSession,
    count_id: UUID,
    entries: Sequence[NewEntry],
    *,
    counter: str,
    counter_id: UUID,
    now: datetime,
) -> None:
    """Write entries, in their order."""
    columns = [list(column) for column in zip(*entries, strict=True)]
    names: dict[str, Any] = dict(zip(NewEntry._fields, columns, strict=True))
    names |= {"count_id": count_id, "counter": counter, "counter_id": counter_id, "now": now}
    await session.execute(_ADD_ENTRIES, names)


async def write_figures(
    session: AsyncSession, count_id: UUID, figures: Mapping[Level, LineFigure]
) -> None:
    """Write what lines count now, by their levels."""
    rows = [(figure[0], *level, *figure[1:]) for level, figure in figures.items()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    fields = ("numbers", "items", "locations", "lots", "counted", "instants", "disputed")
    names: dict[str, Any] = dict(zip(fields, columns, strict=True))
    await session.execute(_WRITE_FIGURES, {**names, "count_id": count_id})


async def ask_again(
    session: AsyncSession, count_id: UUID, numbers: Collection[int], *, same_counter: bool
) -> None:
    """Let lines be counted once more."""
    names = {"count_id": count_id, "numbers": list(numbers), "same_counter": same_counter}
    await session.execute(_ASK_AGAIN, names)


async def find_counted_before(
    session: AsyncSession, count_id: UUID, numbers: Collection[int], counter_id: UUID
) -> frozenset[int]:
    """Return which of the lines somebody counted in a round before their present one."""
    names = {"count_id": count_id, "numbers": list(numbers), "counter_id": counter_id}
    return frozenset(await session.scalars(_COUNTED_BEFORE, names))


_SPOTS = text("""
    SELECT k.n, i.id AS item_id, i.code, i.active, i.unit, i.packs, i.tracking, i.category_id,
           CASE WHEN i.packs IS NOT NULL THEN (
               SELECT unit FROM identifiers WHERE key = k.item_key) END AS named_unit,
           p.id AS place_id, p.name AS place, p.active AS place_active,
           p.type = 'transit' AS is_transit, t.id AS lot_id, t.code AS lot, t.expires_on
    FROM (
        SELECT w.n, w.item_key, w.lot_key,
               coalesce(w.item_id, (SELECT item_id FROM identifiers WHERE key = w.item_key))
                   AS item_id,
               coalesce(w.place_id, (SELECT id FROM locations WHERE name_key = w.place_key))
                   AS place_id
        FROM unnest(CAST(:item_ids AS uuid[]), CAST(:item_keys AS text[]),
                    CAST(:place_ids AS uuid[]), CAST(:place_keys AS text[]),
                    CAST(:lot_keys AS text[]))
            WITH ORDINALITY AS w(item_id, item_key, place_id, place_key, lot_key, n)
        OFFSET 0
    ) k
    LEFT JOIN LATERAL (
        SELECT id, code, active, unit, nullif(packs, '[]')::text AS packs, tracking, category_id
        FROM items WHERE id = k.item_id OFFSET 0
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT id, name, active, type FROM locations WHERE id = k.place_id OFFSET 0
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT id, code, expires_on FROM lots
        WHERE item_id = k.item_id AND key = k.lot_key OFFSET 0
    ) t ON true""")
_LINES_AT = text("""
    SELECT l.number, l.item_id, l.location_id, l.lot_id, l.round, l.same_counter, l.counted
    FROM (
        SELECT CAST(:count_id AS uuid) AS count_id, sent.*
        FROM unnest(CAST(:items AS uuid[]), CAST(:locations AS uuid[]), CAST(:lots AS uuid[]))
            AS sent(item_id, location_id, lot_id) OFFSET 0
    ) w
    CROSS JOIN LATERAL (
        SELECT * FROM count_lines
        WHERE count_id = w.count_id AND item_id = w.item_id AND location_id = w.location_id
            AND lot_id = w.lot_id OFFSET 0
    ) l""")
_KNOWN = text("""
    SELECT e.id, e.quantity, e.adds, e.counter_id, e.counted_at, l.item_id, l.location_id, l.lot_id
    FROM (
        SELECT CAST(:count_id AS uuid) AS count_id, id
        FROM unnest(CAST(:ids AS uuid[])) AS sent(id) OFFSET 0
    ) w
    CROSS JOIN LATERAL (
        SELECT * FROM count_entries WHERE count_id = w.count_id AND id = w.id OFFSET 0
    ) e
    CROSS JOIN LATERAL (
        SELECT * FROM count_lines WHERE count_id = w.count_id AND number = e.number OFFSET 0
    ) l""")
_ADD_ENTRIES = text("""
    INSERT INTO count_entries (count_id, id, number, round, quantity, adds, given_quantity,
                               given_unit, counter, counter_id, counted_at, entered_at)
    SELECT :count_id, id, number, round, quantity, adds, given_quantity, given_unit, :counter,
           :counter_id, counted_at, :now
    FROM unnest(CAST(:id AS uuid[]), CAST(:number AS int[]), CAST(:round AS int[]),
                CAST(:quantity AS numeric[]), CAST(:adds AS bool[]),
                CAST(:given_quantity AS numeric[]), CAST(:given_unit AS text[]),
                CAST(:counted_at AS timestamptz[]))
        WITH ORDINALITY AS w(id, number, round, quantity, adds, given_quantity, given_unit,
                             counted_at, n)
    ORDER BY n""")
_WRITE_FIGURES = text("""
    INSERT INTO count_lines (count_id, number, item_id, location_id, lot_id, found, counted,
                             counted_at, disputed)
    SELECT :count_id, number, item_id, location_id, lot_id, false, counted, counted_at, disputed
    FROM unnest(CAST(:numbers AS int[]), CAST(:items AS uuid[]), CAST(:locations AS uuid[]),
                CAST(:lots AS uuid[]), CAST(:counted AS numeric[]),
                CAST(:instants AS timestamptz[]), CAST(:disputed AS bool[]))
        AS w(number, item_id, location_id, lot_id, counted, counted_at, disputed)
    ON CONFLICT ON CONSTRAINT count_lines_pkey DO UPDATE
    SET counted = excluded.counted, counted_at = excluded.counted_at,
        disputed = excluded.disputed""")
_ASK_AGAIN = text("""
    UPDATE count_lines SET round = round + 1, same_counter = :same_counter, counted = NULL,
        counted_at = NULL, disputed = false
    WHERE count_id = :count_id AND number = ANY(CAST(:numbers AS int[]))""")
_COUNTED_BEFORE = text("""
    SELECT DISTINCT l.number
    FROM (
        SELECT CAST(:count_id AS uuid) AS count_id, number
        FROM unnest(CAST(:numbers AS int[])) AS sent(number) OFFSET 0
    ) w
    CROSS JOIN LATERAL (
        SELECT * FROM count_lines WHERE count_id = w.count_id AND number = w.number OFFSET 0
    ) l
    CROSS JOIN LATERAL (
        SELECT * FROM count_entries WHERE count_id = w.count_id AND number = w.number OFFSET 0
    ) e
    WHERE e.counter_id = :counter_id AND e.round < l.round""")
