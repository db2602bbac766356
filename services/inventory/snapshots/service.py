"""Sums of the ledger that are made once nobody can record anything in them any more (ADR 0043)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.snapshots import queries
from services.inventory.snapshots.rules import (
    AT_ONCE,
    BUSY_FROM,
    ITEMS_AT_ONCE,
    MOVEMENTS_EACH,
    Horizon,
    Recording,
)


async def find_recording(session: AsyncSession) -> Recording:
    """Return the database's time, and since when somebody else may be recording."""
    return await queries.find_recording(session)


async def find_horizon(session: AsyncSession) -> Horizon:
    """Return how far the ledger goes now; what is being recorded may still come before it."""
    return await queries.find_horizon(session)


async def is_settled(session: AsyncSession, horizon: Horizon) -> bool:
    """Say whether nothing can be recorded at the horizon's time, or before it, any more."""
    recording = await queries.find_recording(session)
    return recording.since is None or horizon.known_at < recording.since


async def list_due_tenants(session: AsyncSession, *, size: int = MOVEMENTS_EACH) -> Sequence[UUID]:
    """Return the tenants that recorded enough for a snapshot, or have one that is not made."""
    return await queries.list_due_tenants(session, size)


async def begin_snapshots(
    session: AsyncSession, horizon: Horizon, *, size: int = MOVEMENTS_EACH
) -> bool:
    """Cut the next snapshots of the tenant off its ledger, up to a settled horizon.

    They are to be summed then. Say whether there were any; a few at most in one call.
    """
    await queries.lock_snapshots(session)
    last = await queries.find_last(session)
    if last is not None and (last.made_at is None or last.known_at >= horizon.known_at):
        return False
    return await queries.add_snapshots(session, horizon, last, size=size, most=AT_ONCE) > 0


async def sum_snapshot(
    session: AsyncSession, *, most: int = ITEMS_AT_ONCE, busy_from: int = BUSY_FROM
) -> bool:
    """Sum the next items of the tenant's first snapshot that is not made.

    Say whether there was one; what is not made yet is used by nobody.
    """
    await queries.lock_snapshots(session)
    snapshot = await queries.find_unmade(session)
    if snapshot is None:
        return False
    await queries.sum_items(session, snapshot, most=most, busy_from=busy_from)
    return True


async def remove_snapshots(session: AsyncSession) -> None:
    """Remove all of the tenant's snapshots; meanwhile the past is read of the ledger alone."""
    await queries.lock_snapshots(session)
    await queries.remove_all(session)
