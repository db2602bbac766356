"""Locking what a group of movements touches, the lots of their items too."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from services.inventory.ledger import queries
from services.inventory.ledger.queries import Locked, Pair
from services.inventory.ledger.rules import (
    Balance,
    Change,
    Level,
    Lots,
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
    if not any(change.held for change in changes):  # Else they were locked, and expired, before.
        await _expire_holds(connection, locked)
    if any(spot.has_lots for spot in locked.spots.values()):
        of_lots = [c for c in changes if locked.spots[c.item, c.place].has_lots]
        locked = await _lock_lots(connection, of_lots, locked)
    return locked


async def lock_levels(connection: asyncpg.Connection, pairs: Collection[Pair]) -> Locked:
    """Find and lock what is named; whatever was held there and has expired is given back."""
    locked = await queries.lock(connection, pairs)
    await _expire_holds(connection, locked)
    return locked


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
        return await _lock_first_out(connection, changes, locked)
    lots = await _find_lots(connection, changes, locked.spots)
    new = follow_lots(changes, locked.spots, lots, new_id)
    touched: dict[Level, bool] = {}  # Whether something may come to it.
    for change in changes:
        for level in levels_of(change, locked.spots, lots):
            touched[level] = touched.get(level, False) or not _only_takes(change)
    there = [level for level in touched if level[2] not in new]
    balances, now = await queries.lock_levels(connection, there) if there else ({}, None)
    missing = [level for level in there if level not in balances and touched[level]]
    if missing:
        await queries.ensure_levels(connection, missing)
        ensured, now = await queries.lock_levels(connection, missing)
        balances |= ensured
    balances = {level: balances.get(level) or Balance() for level in touched}
    return locked._replace(
        balances=locked.balances | balances,
        now=max(locked.now, now or locked.now),
        lots=lots,
    )


async def _lock_first_out(
    connection: asyncpg.Connection, changes: Sequence[Change], locked: Locked
) -> Locked:
    """Lock the levels of all lots from which these changes take what goes out first."""
    spots = {locked.spots[change.item, change.place]: None for change in changes}
    places = {(s.item_id, s.place_id): None for s in spots if s.item_id and s.place_id}
    if not places:
        return locked
    lots, balances, now = await queries.lock_first_out(connection, places)
    return locked._replace(
        balances=locked.balances | balances, now=max(locked.now, now or locked.now), lots=lots
    )


def _takes_first_out(change: Change) -> bool:
    """Say whether a change takes from whatever lots go out first, and brings nothing anywhere."""
    return change.lot is None and not change.shares and _only_takes(change)


async def _find_lots(
    connection: asyncpg.Connection, changes: Sequence[Change], spots: Spots
) -> Lots:
    """Return the lots that the changes name, and all where one takes what goes out first."""
    names: dict[tuple[UUID, str], None] = {}
    places: dict[tuple[UUID, UUID], None] = {}
    for change in changes:
        spot = spots[change.item, change.place]
        if spot.item_id is None or spot.place_id is None:
            continue
        if change.lot is not None:
            names[spot.item_id, change.lot.key] = None
        elif not change.shares:
            places[spot.item_id, spot.place_id] = None
    return await queries.find_lots(connection, names, places)


def _only_takes(change: Change) -> bool:
    """Say whether a change needs no level to be there that is not."""
    return change.quantity is not None and change.quantity < 0 and change.counterplace is None
