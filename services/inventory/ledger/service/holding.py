"""What is reserved, for features that hold stock: under the locks that movements take."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import queries
from services.inventory.ledger.queries import Locked, Pair
from services.inventory.ledger.rules import NO_LOT
from services.inventory.ledger.service import locking
from shared.db import driver_connection


async def lock_levels(session: AsyncSession, pairs: Collection[Pair]) -> Locked:
    """Lock items, locations and levels until the transaction ends; what was due has expired."""
    return await locking.lock_levels(await driver_connection(session), pairs)


async def give_back(
    session: AsyncSession, locked: Locked, freed: Mapping[tuple[UUID, UUID], Decimal]
) -> None:
    """Let so much less be reserved at the levels."""
    for level, quantity in freed.items():
        locked.balances[*level, NO_LOT].reserved -= quantity
    await _write(session, locked, freed)


async def hold_until(
    session: AsyncSession, locked: Locked, levels: Collection[tuple[UUID, UUID]], until: datetime
) -> None:
    """Let the levels know that something held there may expire at another time."""
    for level in levels:
        locked.balances[*level, NO_LOT].hold(Decimal(0), until)
    await _write(session, locked, levels)


async def _write(
    session: AsyncSession, locked: Locked, levels: Collection[tuple[UUID, UUID]]
) -> None:
    changed = {(*level, NO_LOT): locked.balances[*level, NO_LOT] for level in levels}
    await queries.write_reserved(await driver_connection(session), changed)
