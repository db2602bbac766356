"""Lots of items that have them, and their levels, locked in key order.

Of serials their rows are locked first, in order: who holds one alone moves its unit, wherever that
is. Asked only when a movement is of such an item, once its item is held: whoever changes the expiry
of a lot holds the item against movements.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.inventory.ledger.rules import NO_LOT, Balance, Balances, Level, Lot, Lots


async def find_lots(
    connection: asyncpg.Connection,
    names: Collection[tuple[UUID, str]],
    places: Mapping[tuple[UUID, UUID], datetime | None],
) -> Lots:
    """Return the lots of these (item, key), as far as there are any, and all at these places.

    With a time also what has moved there since.
    """
    columns = zip(*names, strict=True) if names else ((), ())
    at_columns = (*zip(*places, strict=True), list(places.values())) if places else ((), (), ())
    lots, known = Lots(), {NO_LOT: Lot(NO_LOT, None)}
    for row in await connection.fetch(FIND_LOTS, *columns, *at_columns):
        item_id, key, place_id, lot_id, code, expires_on, received_at = row
        lot = known.setdefault(lot_id, Lot(lot_id, code, expires_on, received_at))
        if place_id is None:
            lots.named[item_id, key] = lot
        else:
            lots.at.setdefault((item_id, place_id), {})[lot_id] = lot
    return lots


async def lock_serials(
    connection: asyncpg.Connection,
    names: Collection[tuple[UUID, str]],
    serial_ids: Collection[UUID],
) -> dict[tuple[UUID, str], Lot]:
    """Lock the serials of these (item, key), as far as there are any, and those of these ids."""
    columns = zip(*names, strict=True) if names else ((), ())
    rows = await connection.fetch(LOCK_SERIALS, *columns, list(serial_ids))
    return {
        (item_id, key): Lot(lot_id, code, None, received_at)
        for item_id, key, lot_id, code, received_at in rows
    }


async def list_whereabouts(
    connection: asyncpg.Connection, serial_ids: Collection[UUID]
) -> tuple[dict[UUID, tuple[UUID, str]], dict[UUID, datetime]]:
    """Return where the serials lie, those that do, and when each was last moved; all are locked."""
    lying: dict[UUID, tuple[UUID, str]] = {}
    moved: dict[UUID, datetime] = {}
    for lot_id, place_id, place, moved_at in await connection.fetch(WHEREABOUTS, list(serial_ids)):
        if place_id is not None:
            lying[lot_id] = place_id, place
        if moved_at is not None:
            moved[lot_id] = max(moved_at, moved.get(lot_id, moved_at))
    return lying, moved


async def lock_levels(
    connection: asyncpg.Connection, levels: Collection[Level]
) -> tuple[Balances, datetime | None]:
    """Lock the levels that are there; return them, and the database's time once all are held.

    There is no time where there are none.
    """
    ordered = sorted(levels)
    rows = await connection.fetch(LOCK_LEVELS, *zip(*ordered, strict=True))
    held = {
        ordered[n - 1]: Balance(on_hand, reserved, moved_at, holds_until=holds_until)
        for n, _now, on_hand, reserved, moved_at, holds_until in rows
    }
    return held, max((row[1] for row in rows), default=None)


async def lock_first_out(
    connection: asyncpg.Connection, places: Collection[tuple[UUID, UUID]]
) -> tuple[Lots, Balances, datetime | None]:
    """Find and lock at once, in the same order, all lots that lie at these (item, location)."""
    lots, balances = Lots(), Balances()
    known: dict[UUID, Lot] = {}
    rows = await connection.fetch(LOCK_FIRST_OUT, *zip(*places, strict=True))
    for item_id, place_id, lot_id, on_hand, reserved, moved_at, _now, holds_until, *said in rows:
        lot = known.get(lot_id)
        if lot is None:
            lot = known[lot_id] = Lot(lot_id, *said)
        lots.at.setdefault((item_id, place_id), {})[lot_id] = lot
        balance = Balance(on_hand, reserved, moved_at, holds_until=holds_until)
        balances[item_id, place_id, lot_id] = balance
    return lots, balances, max((row[6] for row in rows), default=None)


async def add_lots(connection: asyncpg.Connection, lots: Sequence[tuple[UUID, str, Lot]]) -> bool:
    """Add new lots, each with its item and key; say whether all of them were new indeed.

    If others add the same right now, they are waited for; where one is theirs, none is added.
    """
    if not lots:
        return True
    rows = [
        (lot.id, item_id, lot.code, key, lot.expires_on, lot.received_at)
        for item_id, key, lot in sorted(lots, key=lambda one: one[:2])
    ]
    try:
        async with connection.transaction():
            await _insert(connection, rows)
    except _TheirsError:
        return False
    return True


async def _insert(connection: asyncpg.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows of lots. Raises _TheirsError where one is there by now."""
    added = await connection.fetch(ADD_LOTS, *zip(*rows, strict=True))
    if len(added) < len(rows):
        raise _TheirsError


class _TheirsError(Exception):
    """Ends a savepoint in which somebody else's lot was met."""


FIND_LOTS = """
SELECT w.item_id, w.key, NULL::uuid AS place_id, t.id, t.code, t.expires_on, t.received_at
FROM unnest($1::uuid[], $2::text[]) AS w(item_id, key)
CROSS JOIN LATERAL (SELECT * FROM lots WHERE item_id = w.item_id AND key = w.key OFFSET 0) t
UNION ALL
SELECT w.item_id, NULL, w.place_id, v.lot_id, t.code, t.expires_on, t.received_at
FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[]) AS w(item_id, place_id, since)
CROSS JOIN LATERAL (
    SELECT lot_id FROM levels
    WHERE item_id = w.item_id AND location_id = w.place_id
        AND (on_hand > 0 OR moved_at > w.since) OFFSET 0
) v
LEFT JOIN LATERAL (SELECT * FROM lots WHERE id = v.lot_id OFFSET 0) t ON true
"""

LOCK_SERIALS = """
WITH wanted AS MATERIALIZED (
    SELECT t.id FROM unnest($1::uuid[], $2::text[]) AS w(item_id, key)
    CROSS JOIN LATERAL (SELECT id FROM lots WHERE item_id = w.item_id AND key = w.key OFFSET 0) t
    UNION
    SELECT * FROM unnest($3::uuid[])
)
SELECT t.item_id, t.key, t.id, t.code, t.received_at
FROM (SELECT id FROM wanted ORDER BY id OFFSET 0) w
CROSS JOIN LATERAL (
    SELECT item_id, key, id, code, received_at FROM lots WHERE id = w.id FOR NO KEY UPDATE
) t
"""

WHEREABOUTS = """
SELECT w.lot_id, CASE WHEN v.serial_id IS NOT NULL THEN v.location_id END, v.name, v.moved_at
FROM unnest($1::uuid[]) AS w(lot_id)
CROSS JOIN LATERAL (
    SELECT v.serial_id, v.location_id, l.name, v.moved_at
    FROM levels v JOIN locations l ON l.id = v.location_id
    WHERE v.lot_id = w.lot_id AND v.is_serial OFFSET 0
) v
"""

LOCK_LEVELS = """
SELECT w.n, clock_timestamp(), v.on_hand, v.reserved, v.moved_at, v.holds_until
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS w(item_id, place_id, lot_id, n)
CROSS JOIN LATERAL (
    SELECT on_hand, reserved, moved_at, holds_until FROM levels
    WHERE item_id = w.item_id AND location_id = w.place_id AND lot_id = w.lot_id FOR UPDATE
) v
"""

LOCK_FIRST_OUT = """
SELECT w.item_id, w.place_id, v.lot_id, v.on_hand, v.reserved, v.moved_at, clock_timestamp(),
       v.holds_until, t.code, t.expires_on, t.received_at
FROM (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS sent(item_id, place_id) ORDER BY 1, 2 OFFSET 0
) w
CROSS JOIN LATERAL (
    SELECT lot_id, on_hand, reserved, moved_at, holds_until FROM levels
    WHERE item_id = w.item_id AND location_id = w.place_id AND on_hand > 0
    ORDER BY lot_id FOR UPDATE
) v
LEFT JOIN LATERAL (
    SELECT code, expires_on, received_at FROM lots WHERE id = v.lot_id OFFSET 0
) t ON true
"""

ADD_LOTS = """
INSERT INTO lots (id, item_id, code, key, expires_on, received_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::date[], $6::timestamptz[])
ON CONFLICT ON CONSTRAINT lots_code DO NOTHING RETURNING id
"""
