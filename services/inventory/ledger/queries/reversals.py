"""Movements that are undone by others."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import TRACKS_LOTS, TRACKS_SERIALS, Lot


@dataclass(frozen=True, slots=True)
class Leg:
    """One change of one level by a movement, as much of it as its opposite needs."""

    id: UUID
    kind: str
    item_id: UUID
    item: str
    location_id: UUID
    location: str
    tracking: str  # Of the item.
    lot: Lot | None  # A serial too; None of an item without either.
    quantity: Decimal  # Signed, in stock units.
    cost_id: UUID | None
    part_of: UUID | None
    reference: str | None
    occurred_at: datetime


async def list_legs(session: AsyncSession, movement_id: UUID) -> list[Leg]:
    """Return the legs of a movement in their order; none if there is no such movement."""
    rows = await session.execute(_LEGS, {"id": movement_id})
    return [_leg(dict(row)) for row in rows.mappings()]


async def list_parts(session: AsyncSession, part_of: UUID) -> list[UUID]:
    """Return the movements of an assembly, in the order of their ids."""
    return list(await session.scalars(_PARTS, {"part_of": part_of}))


async def claim_reversal(
    session: AsyncSession, movement_id: UUID, reversal_id: UUID
) -> UUID | None:
    """Write down that one movement undoes another, or return which one did before.

    Of several at once the others wait for the first, and have their turn if it fails.
    """
    names = {"movement_id": movement_id, "reversal_id": reversal_id}
    if await session.scalar(_CLAIM, names):
        return None
    earlier: UUID = await session.scalar(_FIND, names)
    return earlier


async def find_reversal(session: AsyncSession, movement_id: UUID) -> UUID | None:
    """Return the movement that undid another, if one did."""
    found: UUID | None = await session.scalar(_FIND, {"movement_id": movement_id})
    return found


def _leg(row: dict[str, Any]) -> Leg:
    is_tracked = row["tracking"] in {TRACKS_LOTS, TRACKS_SERIALS}
    lot = Lot(*(row.pop(name) for name in ("lot_id", "lot_code", "expires_on", "received_at")))
    return Leg(**row, lot=lot if is_tracked else None)


_LEGS = text("""
    SELECT m.id, m.kind, m.item_id, i.code AS item, m.location_id, l.name AS location, m.quantity,
           m.cost_id, m.part_of, m.reference, m.occurred_at, i.tracking, m.lot_id,
           t.code AS lot_code, t.expires_on, t.received_at
    FROM movements m JOIN items i ON i.id = m.item_id JOIN locations l ON l.id = m.location_id
    LEFT JOIN lots t ON t.id = m.lot_id
    WHERE m.id = :id ORDER BY m.leg""")
_PARTS = text("SELECT DISTINCT id FROM movements WHERE part_of = :part_of ORDER BY id")
_CLAIM = text("""
    INSERT INTO reversals (movement_id, reversal_id) VALUES (:movement_id, :reversal_id)
    ON CONFLICT ON CONSTRAINT reversals_pkey DO NOTHING RETURNING true""")
_FIND = text("SELECT reversal_id FROM reversals WHERE movement_id = :movement_id")
