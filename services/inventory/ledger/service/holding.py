"""What is reserved, for features that hold stock: under the locks that movements take."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import queries
from services.inventory.ledger.queries import Locked
from services.inventory.ledger.rules import NO_LOT, Level, Outcome
from services.inventory.ledger.service import locking
from shared.db import driver_connection


async def write_held(
    connection: asyncpg.Connection, granted: Iterable[Outcome], locked: Locked
) -> None:
    """Write what is reserved where something was granted to be held."""
    levels = {
        (outcome.spot.item_id, outcome.spot.place_id, NO_LOT if part.lot is None else part.lot.id)
        for outcome in granted
        if outcome.spot.item_id is not None and outcome.spot.place_id is not None
        for part in outcome.parts
    }
    if levels:
        await queries.write_reserved(connection, {each: locked.balances[each] for each in levels})


async def lock_levels(session: AsyncSession, levels: Collection[Level]) -> Locked:
    """Lock levels that are there until the transaction ends; what was due has expired."""
    return await locking.lock_levels(await driver_connection(session), levels)


async def give_back(session: AsyncSession, locked: Locked, freed: Mapping[Level, Decimal]) -> None:
    """Let so much less be reserved at the levels."""
    for level, quantity in freed.items():
        locked.balances[level].reserved -= quantity
    await _write(session, locked, freed)


async def hold_until(
    session: AsyncSession, locked: Locked, levels: Collection[Level], until: datetime
) -> None:
    """Let the levels know that something held there may expire at another time."""
    for level in levels:
        locked.balances[level].hold(Decimal(0), until)
    await _write(session, locked, levels)


async def _write(session: AsyncSession, locked: Locked, levels: Collection[Level]) -> None:
    changed = {level: locked.balances[level] for level in levels}
    await queries.write_reserved(await driver_connection(session), changed)
