"""Reading the ledger: its rows, and what lay where at any moment."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import queries
from services.inventory.ledger.errors import KnownInFuture, NotSettledYet
from services.inventory.ledger.queries import LedgerRow, MovementFilter, StockFilter
from services.inventory.openings.service import require_kept
from services.inventory.snapshots.service import find_recording
from shared.db import Database
from shared.principal import Places

SETTLING_S = 2.0  # How long a question waits for what is being recorded at the time it names.
_LOOK_AGAIN_S = 0.05


async def find_movement(
    database: Database, tenant_id: UUID, movement_id: UUID, *, places: Places
) -> list[LedgerRow]:
    """Return the rows of a movement where it begins, lot by lot; none elsewhere than at places."""
    async with database.hot(tenant_id) as connection:
        return await queries.find_movement(connection, movement_id, places=places)


async def list_movements(
    session: AsyncSession, wanted: MovementFilter, *, before_seq: int | None, limit: int
) -> list[LedgerRow]:
    """Return ledger rows, newest first, that match every filter given."""
    return await queries.list_movements(session, wanted, before_seq=before_seq, limit=limit)


async def stock_as_of(
    session: AsyncSession,
    item_id: UUID,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
    places: Places,
) -> Sequence[RowMapping]:
    """Return what lay of an item at each of the places, lot by lot.

    That is at `as_of`, as recorded by `known_at`.

    Without them: what lies there now. The answer for a known_at never changes: it waits for
    transactions that may still record something at that time. Raises KnownInFuture,
    NotSettledYet, MovementsArchived.
    """
    if as_of is None and known_at is None:
        return await queries.stock_now(session, item_id, places=places)
    await require_kept(session, as_of, known_at)
    if known_at is not None:
        await _settle(session, known_at)
    return await queries.stock_as_of(
        session, item_id, as_of=as_of, known_at=known_at, places=places
    )


async def list_stock(
    session: AsyncSession, wanted: StockFilter, *, after: tuple[str] | None, limit: int
) -> Sequence[RowMapping]:
    """Return what lies or lay of each item at all the locations together, by the items' codes.

    For the times the same holds as for one item. Raises KnownInFuture, NotSettledYet,
    MovementsArchived.
    """
    if wanted.as_of is not None or wanted.known_at is not None:
        await require_kept(session, wanted.as_of, wanted.known_at)
    if wanted.known_at is not None:
        await _settle(session, wanted.known_at)
    return await queries.list_stock(session, wanted, after=after, limit=limit)


async def _settle(session: AsyncSession, known_at: datetime) -> None:
    """Return once nothing can be recorded at that time any more."""
    for _ in range(int(SETTLING_S / _LOOK_AGAIN_S)):
        recording = await find_recording(session)
        if known_at > recording.now:
            raise KnownInFuture
        if recording.since is None or known_at < recording.since:
            return
        await asyncio.sleep(_LOOK_AGAIN_S)
    raise NotSettledYet
