"""What is reserved, for features that hold stock: under the locks that movements take."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import queries
from services.inventory.ledger.queries import Locked, Pair
from services.inventory.ledger.rules import Level
from services.inventory.ledger.service import locking
from shared.db import driver_connection


async def lock_places(session: AsyncSession, pairs: Collection[Pair]) -> Locked:
    """Lock items, locations and all that lies there, lot by lot; what was due has expired."""
    return await locking.lock_places(await driver_connection(session), pairs)


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
