"""Proving the stock: levels against ledger, ledger against itself and against the journal."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.inventory.verification import queries
from services.inventory.verification.rules import is_readable
from services.inventory.verification.schemas import (
    ChainRead,
    Checked,
    StockDifferenceRead,
    VerificationRead,
)
from shared.journal.checkpoint import become_verifier
from shared.journal.notes import SigningKey
from shared.journal.verification import Verification
from shared.money import plain

_NAMES = ("lot_id", "price_id", "count_id", "count_entry_id", "journal_seq")  # Of some alone.


async def verify(session: AsyncSession, chain: Verification) -> VerificationRead:
    """Recompute the caller's stock from the ledger and return every difference, 100 at most.

    An entry of the journal that cannot even be read is a difference like another. chain says
    whether the journal itself is as it was sealed.
    """
    checked = await queries.count_checked(session)
    differences = await list_differences(session)
    return VerificationRead(
        ok=not differences and chain.ok,
        checked=Checked.model_validate(dict(checked)),
        differences=differences[: queries.DIFFERENCES_MAX],
        journal=ChainRead.model_validate(chain),
    )


async def list_differences(session: AsyncSession) -> list[StockDifferenceRead]:
    """Recompute the stock of the session's tenant from the ledger and return every difference."""
    unreadable: Sequence[int] = ()
    rows = await queries.list_differences_if_readable(session)
    if rows is None:  # Some value is none of its type: each entry is looked at by itself.
        unreadable = await _find_unreadable(session)
        rows = await queries.list_differences(session, without=unreadable)
    return [_unreadable(seq) for seq in unreadable] + [_to_read(row) for row in rows]


async def list_tenants(connection: AsyncConnection, key: SigningKey) -> Sequence[UUID]:
    """Return every tenant of whom anything is journaled."""
    await become_verifier(connection, key)
    return await queries.list_tenants(connection)


async def list_stock(session: AsyncSession) -> dict[str, str]:
    """Return what lies of each item at each location of the session's tenant, by both ids."""
    rows = await queries.list_stock(session)
    return {f"{row['item_id']} {row['location_id']}": plain(row["on_hand"]) for row in rows}


async def _find_unreadable(session: AsyncSession) -> list[int]:
    found: list[int] = []
    entries = await queries.list_entries(session, after_seq=0)
    while entries:
        found += [seq for seq, kind, data in entries if not is_readable(kind, data)]
        entries = await queries.list_entries(session, after_seq=entries[-1][0])
    return found


def _to_read(row: RowMapping) -> StockDifferenceRead:
    return StockDifferenceRead.model_validate(dict.fromkeys(_NAMES) | dict(row))


def _unreadable(seq: int) -> StockDifferenceRead:
    return StockDifferenceRead(
        kind="entry_unreadable",
        item_id=None,
        location_id=None,
        lot_id=None,
        movement_id=None,
        expected=None,
        found=None,
        occurred_at=None,
        price_id=None,
        count_id=None,
        count_entry_id=None,
        journal_seq=seq,
    )
