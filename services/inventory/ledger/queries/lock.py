"""Finding and locking what movements touch: items and places in order of the place, then levels.

First of all it waits its turn beside freezes, which let nothing be under way. Whoever retires or
removes takes the same locks of rows: a movement holds each item and place in
KEY SHARE, which an ordinary edit leaves alone (FOR NO KEY UPDATE) and a retirement waits for
(FOR UPDATE). Levels are locked in key order, each once, however many changes touch it.

Tables are met only through an index look-up of each row's own, which no statistics can talk the
planner out of: one plan serves one change and ten thousand, an empty table and a full one. (Keys
become ids in a step of their own: row-level security lets only plain conditions use an index.)
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.inventory.freezes.rules import FREEZES_LOCK
from services.inventory.ledger.rules import (
    CLOCK_TOLERANCE,
    NO_LOT,
    OUTSIDE,
    Balance,
    Balances,
    Late,
    Level,
    Lots,
    Reference,
    Spot,
)
from shared.db.locks import TRY_KEY

Pair = tuple[Reference, Reference]


class Locked(NamedTuple):
    """What was found under lock, and the database's time once all of it was held."""

    spots: dict[Pair, Spot]
    balances: Balances
    missing: list[Level]  # Levels of items with neither lots nor serials, not there yet.
    now: datetime
    lots: Lots


class KeptAnswer(NamedTuple):
    """What an Idempotency-Key was answered with; both None if it is being answered right now."""

    fingerprint: bytes | None
    movement_id: UUID | None  # None too if no movement but another request was answered.


async def lock(connection: asyncpg.Connection, pairs: Collection[Pair]) -> Locked:
    """Find and lock the items and places named, and their levels."""
    ordered = list(pairs)
    named = zip(*((i.id, i.key, p.id, p.key) for i, p in ordered), strict=True)
    rows = await connection.fetch(LOCK, range(len(ordered)), *named, NO_LOT)
    spots: dict[Pair, Spot] = {}
    balances: Balances = {}
    missing: list[Level] = []
    for number, on_hand, reserved, moved_at, holds_until, _now, *found in rows:
        spot = spots[ordered[number]] = Spot._make(found)
        if spot.item_id is None or spot.place_id is None:
            continue
        level = spot.item_id, spot.place_id, NO_LOT
        if on_hand is not None:
            balances[level] = Balance(on_hand, reserved, moved_at, holds_until=holds_until)
        elif not spot.is_tracked:
            missing.append(level)
            balances[level] = Balance()
    return Locked(spots, balances, missing, max(row[5] for row in rows), Lots())


async def ensure_levels(connection: asyncpg.Connection, levels: Collection[Level]) -> None:
    """Make the levels that are not there, empty, so that they can be locked."""
    await connection.execute(ENSURE_LEVELS, *zip(*levels, strict=True))


async def find_kept(
    connection: asyncpg.Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], KeptAnswer]:
    """Take these (actor, Idempotency-Key) pairs; return those answered before or being answered.

    Whoever answers one right now is not waited for.
    """
    actors, names = zip(*keys, strict=True)
    rows = await connection.fetch(KEPT, actors, names)
    return {(row[0], row[1]): KeptAnswer(row[2], row[3]) for row in rows}


async def list_changes_since(
    connection: asyncpg.Connection, late: Mapping[Level, Late]
) -> dict[Level, list[tuple[datetime, Decimal]]]:
    """Return by level what happened after its earliest late instant: (instant, sum), in order.

    Outside what comes to a location has left, and the other way round.
    Nothing is recorded before it happens, so only the months since then are read.
    """
    recorded_from = min(one.since for one in late.values() if one.since) - RECORDED_MARGIN
    found: dict[Level, list[tuple[datetime, Decimal]]] = {level: [] for level in late}
    for statement, is_of_lots in ((CHANGES_SINCE, False), (CHANGES_OF_LOTS_SINCE, True)):
        levels = [level for level in late if (level[2] != NO_LOT) is is_of_lots]
        if not levels:
            continue
        since = [late[level].since for level in levels]
        columns = zip(*levels, strict=True)
        rows = await connection.fetch(statement, *columns, since, recorded_from, OUTSIDE, NO_LOT)
        for item_id, place_id, lot_id, instant, quantity in rows:
            found[item_id, place_id, lot_id].append((instant, quantity))
    return found


# Rows of the first release may be dated ahead of their recording by what its clocks were allowed.
RECORDED_MARGIN = CLOCK_TOLERANCE + timedelta(minutes=1)

LOCK = f"""
/* select levels */ WITH thawed AS MATERIALIZED (
    SELECT wait_lock_shared({FREEZES_LOCK})
), named AS MATERIALIZED (
    SELECT k.n, i.id AS item_id, i.code, i.active, i.cost_id, p.id AS place_id, p.name AS place,
           p.active AS place_active, i.unit, i.packs,
           CASE WHEN i.packs IS NOT NULL THEN (
               SELECT unit FROM identifiers WHERE key = k.item_key) END AS named_unit,
           coalesce(i.frozen_by, p.frozen_by) AS frozen_by,
           p.type = 'transit' AS is_transit, i.tracking
    FROM (
        SELECT w.n, w.item_key,
               coalesce(w.item_id, (SELECT item_id FROM identifiers WHERE key = w.item_key))
                   AS item_id,
               coalesce(w.place_id, (SELECT id FROM locations WHERE name_key = w.place_key))
                   AS place_id
        FROM unnest($1::int[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
             AS w(n, item_id, item_key, place_id, place_key)
        WHERE (SELECT count(*) FROM thawed) = 1
        ORDER BY place_id OFFSET 0
    ) k
    LEFT JOIN LATERAL (
        SELECT id, code, active, cost_id, unit, nullif(packs, '[]')::text AS packs, frozen_by,
               tracking
        FROM items WHERE id = k.item_id FOR KEY SHARE
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT id, name, type, active, frozen_by FROM locations WHERE id = k.place_id FOR KEY SHARE
    ) p ON true
)
SELECT s.n, v.on_hand, v.reserved, v.moved_at, v.holds_until, clock_timestamp(),
       s.item_id, s.code, s.active, s.cost_id, s.place_id, s.place, s.place_active, s.unit,
       s.packs, s.named_unit, s.frozen_by, s.is_transit, s.tracking
FROM (SELECT * FROM named ORDER BY item_id, place_id) s
LEFT JOIN LATERAL (
    SELECT on_hand, reserved, moved_at, holds_until FROM levels
    WHERE item_id = s.item_id AND location_id = s.place_id AND lot_id = $6 FOR UPDATE
) v ON true
"""  # noqa: S608 - of constants alone.

ENSURE_LEVELS = """
INSERT INTO levels (item_id, location_id, lot_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS w(item_id, location_id, lot_id)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
"""

KEPT = f"""
SELECT w.actor, w.key, k.fingerprint, (k.answer ->> 'movement_id')::uuid
FROM (
    SELECT actor, key, {TRY_KEY.format(actor="actor", key="key")} AS is_ours
    FROM unnest($1::text[], $2::text[]) AS w(actor, key) OFFSET 0
) w
LEFT JOIN LATERAL (
    SELECT * FROM idempotency_keys WHERE actor = w.actor AND key = w.key OFFSET 0
) k ON true
WHERE k.key IS NOT NULL OR NOT w.is_ours
"""  # noqa: S608 - of constants alone.

# Of a lot by the index of its own rows: what its item did since may be many times as much.
_CHANGES_SINCE = """
SELECT w.item_id, w.place_id, w.lot_id, m.occurred_at,
       sum(CASE WHEN w.place_id = $6 THEN -m.quantity ELSE m.quantity END)
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
     AS w(item_id, place_id, lot_id, since)
CROSS JOIN LATERAL (
    SELECT occurred_at, quantity FROM movements
    WHERE {of_it} AND (w.place_id = $6 OR location_id = w.place_id)
        AND occurred_at > w.since AND recorded_at >= $5 OFFSET 0
) m
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
CHANGES_SINCE = _CHANGES_SINCE.format(of_it="item_id = w.item_id AND lot_id = $7")
CHANGES_OF_LOTS_SINCE = _CHANGES_SINCE.format(of_it="lot_id = w.lot_id AND lot_id <> $7")
