from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.transfers.models import Transfer, TransferPart
from shared.identifiers import find_id, identifier_key
from shared.principal import Places


class Transit(NamedTuple):
    """A location of type transit."""

    id: UUID
    name: str


async def find_transit(
    session: AsyncSession, named: str | None, *, places: Places
) -> Transit | None:
    """Return the location of type transit in use of this name or id, if it is one of the places.

    For None the oldest one, which whoever is limited need not know.
    """
    given = find_id(named) if named is not None else None
    key = identifier_key(named) if named is not None and given is None else None
    known = None if places is None or named is None else list(places)
    names = {"id": given, "key": key, "places": known}
    row = (await session.execute(_TRANSIT, names)).one_or_none()
    return None if row is None else Transit(row.id, row.name)


async def lock_transfer(session: AsyncSession, transfer_id: UUID) -> Transfer | None:
    return await session.scalar(
        select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    )


async def list_parts(session: AsyncSession, transfer_id: UUID) -> dict[UUID, TransferPart]:
    """Return what a transfer carries by lot; it must be locked."""
    query = select(TransferPart).where(TransferPart.transfer_id == transfer_id)
    return {part.lot_id: part for part in await session.scalars(query)}


async def reserve(
    session: AsyncSession, item_id: UUID, place_id: UUID, lots: Mapping[UUID, Decimal]
) -> None:
    """Let so much more of what lies in transit of each lot be taken by nobody."""
    names = {
        "item_id": item_id,
        "place_id": place_id,
        "lot_ids": list(lots),
        "quantities": list(lots.values()),
    }
    await session.execute(_RESERVE, names)


async def list_transfers(
    session: AsyncSession,
    *,
    state: str | None = None,
    before_id: UUID | None = None,
    only: UUID | None = None,
    places: Places,
    limit: int = 1,
) -> Sequence[RowMapping]:
    """Return transfers that touch the places, with names of what they are about, newest first."""
    names: dict[str, Any] = {
        "state": state,
        "before_id": before_id,
        "only": only,
        "places": None if places is None else list(places),
        "limit": limit,
    }
    return (await session.execute(_LIST, names)).mappings().all()


_TRANSIT = text("""
    SELECT id, name FROM locations WHERE type = 'transit' AND active
        AND (CAST(:id AS uuid) IS NULL OR id = :id)
        AND (CAST(:key AS text) IS NULL OR name_key = :key)
        AND (CAST(:places AS uuid[]) IS NULL OR id = ANY(CAST(:places AS uuid[])))
    ORDER BY id LIMIT 1""")
_RESERVE = text("""
    UPDATE levels v SET reserved = v.reserved + w.quantity
    FROM unnest(CAST(:lot_ids AS uuid[]), CAST(:quantities AS numeric[])) AS w(lot_id, quantity)
    WHERE v.item_id = :item_id AND v.location_id = :place_id AND v.lot_id = w.lot_id""")
_LIST = text("""
    SELECT t.*, i.code AS item, f.name AS location, g.name AS to_location, v.name AS via
    FROM transfers t JOIN items i ON i.id = t.item_id JOIN locations f ON f.id = t.from_id
    JOIN locations g ON g.id = t.to_id JOIN locations v ON v.id = t.via_id
    WHERE (CAST(:state AS text) IS NULL OR :state = CASE
            WHEN t.received IS NULL THEN 'in_transit'
            WHEN t.returned IS NULL THEN 'received' ELSE 'cancelled' END)
        AND (CAST(:before_id AS uuid) IS NULL OR t.id < :before_id)
        AND (CAST(:only AS uuid) IS NULL OR t.id = :only)
        AND (CAST(:places AS uuid[]) IS NULL OR t.from_id = ANY(CAST(:places AS uuid[]))
            OR t.to_id = ANY(CAST(:places AS uuid[])))
    ORDER BY t.id DESC LIMIT :limit""")
