"""Locking what a group of movements touches, the lots of their items too."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.inventory.ledger import queries
from services.inventory.ledger.queries import Locked, Pair
from services.inventory.ledger.rules import (
    NO_LOT,
    NOTHING,
    OUTSIDE,
    UNIT,
    Balance,
    Balances,
    Change,
    Level,
    Lots,
    Reference,
    Spot,
    Spots,
    follow_lots,
    levels_of,
)
from shared.ids import new_id


async def lock_all(connection: asyncpg.Connection, changes: Sequence[Change]) -> Locked:
    """Lock what the changes touch, with the levels that some of them are the first to fill."""
    pairs = {(change.item, change.place): None for change in changes}
    pairs |= {(c.item, c.counterplace): None for c in changes if c.counterplace is not None}
    locked = await queries.lock(connection, pairs)
    if locked.missing and not all(_only_takes(change) for change in changes):
        await queries.ensure_levels(connection, locked.missing)
        locked = await queries.lock(connection, pairs)
    if any(spot.is_tracked for spot in locked.spots.values()):
        tracked = [c for c in changes if _is_tracked(c, locked.spots[c.item, c.place])]
        locked = await _lock_lots(connection, tracked, locked)
    if not any(change.is_held for change in changes):  # Else they were locked, and expired, before.
        await _expire_holds(connection, locked)
    return locked


async def lock_levels(connection: asyncpg.Connection, levels: Collection[Level]) -> Locked:
    """Lock levels that are there; whatever was held there and has expired is given back.

    Of lots and serials the rows come first, as for those who move them.
    """
    locked = await queries.lock(connection, {_pair(level): None for level in levels})
    of_lots = [level for level in levels if level[2] != NO_LOT]
    if of_lots:
        await queries.lock_serials(connection, (), {lot_id for _, _, lot_id in of_lots})
        balances, now = await queries.lock_levels(connection, of_lots)
        locked = locked._replace(
            balances=locked.balances | balances, now=max(locked.now, now or locked.now)
        )
    await _expire_holds(connection, locked)
    return locked


def _pair(level: Level) -> Pair:
    item_id, place_id, _ = level
    return Reference(item_id, None, str(item_id)), Reference(place_id, None, str(place_id))


async def _expire_holds(connection: asyncpg.Connection, locked: Locked) -> None:
    """Give back what was held until now, whether or not somebody has swept there yet."""
    due = [
        level
        for level, balance in locked.balances.items()
        if balance.holds_until is not None and balance.holds_until <= locked.now
    ]
    if due:
        left = await queries.expire_holds(connection, due, locked.now)
        for level, (reserved, holds_until) in left.items():
            locked.balances[level].reserved = reserved
            locked.balances[level].holds_until = holds_until


async def _lock_lots(
    connection: asyncpg.Connection, changes: Sequence[Change], locked: Locked
) -> Locked:
    """Lock the levels of lots that these changes touch, or may touch, as well."""
    if all(_takes_first_out(change) for change in changes):
        spots = [locked.spots[change.item, change.place] for change in changes]
        return await _lock_first_out(connection, spots, locked)
    lots = await _find_lots(connection, changes, locked.spots)
    await _lock_serials(connection, changes, locked.spots, lots)
    new = follow_lots(changes, locked.spots, lots, new_id)
    touched: dict[Level, bool] = {}  # Whether something may come to it.
    for change in changes:
        for level in levels_of(change, locked.spots, lots):
            touched[level] = touched.get(level, False) or not _only_takes(change)
    there = [level for level in touched if level[2] not in new and level[1] != OUTSIDE]
    balances, now = await queries.lock_levels(connection, there) if there else ({}, None)
    missing = [level for level in there if level not in balances and touched[level]]
    if missing:
        await queries.ensure_levels(connection, missing)
        ensured, now = await queries.lock_levels(connection, missing)
        balances |= ensured
    balances = {level: balances.get(level) or Balance() for level in touched}
    with_serials = {spot.item_id for spot in locked.spots.values() if spot.has_serials}
    serials = {lot for item, _, lot in touched if item in with_serials} - new - {NO_LOT}
    await _find_outside(connection, serials, lots, balances)
    return locked._replace(
        balances=locked.balances | balances,
        now=max(locked.now, now or locked.now),
        lots=lots,
    )


async def _lock_first_out(
    connection: asyncpg.Connection, spots: Sequence[Spot], locked: Locked
) -> Locked:
    """Lock the levels of all lots that lie at these places."""
    places = {(s.item_id, s.place_id): None for s in spots if s.item_id and s.place_id}
    if not places:
        return locked
    lots, balances, now = await queries.lock_first_out(connection, places)
    return locked._replace(
        balances=locked.balances | balances, now=max(locked.now, now or locked.now), lots=lots
    )


def _takes_first_out(change: Change) -> bool:
    """Say whether a change takes from whatever lots go out first, and brings nothing anywhere."""
    return change.lot is None and not _names_serials(change) and _only_takes(change)


def _names_serials(change: Change) -> bool:
    return bool(change.shares) or change.serials is not None


def _is_tracked(change: Change, spot: Spot) -> bool:
    """Say whether a change touches lots or serials; one that must name these and does not, none."""
    is_any = change.holds_until is not None
    return spot.has_lots or (spot.has_serials and (is_any or _names_serials(change)))


async def _lock_serials(
    connection: asyncpg.Connection, changes: Sequence[Change], spots: Spots, lots: Lots
) -> None:
    """Lock the serials that the changes move, or may miss; what is held needs its level alone."""
    names: dict[tuple[UUID, str], None] = {}
    ids: set[UUID] = set()
    for change in changes:
        spot = spots[change.item, change.place]
        if not spot.has_serials or spot.item_id is None or change.holds_until is not None:
            continue
        names |= {(spot.item_id, name.key): None for name in change.serials or ()}
        ids.update(lot.id for lot, _ in change.shares)
        if change.counted is not None and spot.place_id is not None:
            ids.update(lots.at.get((spot.item_id, spot.place_id), ()))
    if names or ids:
        lots.named |= await queries.lock_serials(connection, names, ids - {NO_LOT})


async def _find_outside(
    connection: asyncpg.Connection, serial_ids: Collection[UUID], lots: Lots, balances: Balances
) -> None:
    """Let it be known where the serials lie; those that lie nowhere, new ones too, are outside."""
    moved: dict[UUID, datetime] = {}
    if serial_ids:
        lots.lying, moved = await queries.list_whereabouts(connection, serial_ids)
    for level in balances:
        _, place_id, lot_id = level
        if place_id == OUTSIDE:
            outside = NOTHING if lot_id in lots.lying else UNIT
            balances[level] = Balance(outside, moved_at=moved.get(lot_id))


async def _find_lots(
    connection: asyncpg.Connection, changes: Sequence[Change], spots: Spots
) -> Lots:
    """Return the lots that the changes name, and all where one takes what goes out first.

    Where one counts serials these are all that lay there at its time.
    """
    names: dict[tuple[UUID, str], None] = {}
    places: dict[tuple[UUID, UUID], datetime | None] = {}
    for change in changes:
        spot = spots[change.item, change.place]
        if spot.item_id is None or spot.place_id is None:
            continue
        place, then = (spot.item_id, spot.place_id), change.occurred_at
        if spot.has_serials:
            if change.holds_until is not None:
                names |= {(spot.item_id, name.key): None for name in change.serials or ()}
                if not _names_serials(change):
                    places.setdefault(place, None)
            elif change.counted is not None:
                known = places.get(place)
                places[place] = min(then, known) if then and known else then or known
        elif change.lot is not None:
            names[spot.item_id, change.lot.key] = None
        elif not change.shares:
            places[place] = None
    return await queries.find_lots(connection, names, places)


def _only_takes(change: Change) -> bool:
    """Say whether a change needs no level to be there that is not."""
    return change.quantity is not None and change.quantity < 0 and change.counterplace is None
