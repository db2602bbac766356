"""Reading the ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One change of one level; `location` and `item` are names as they are today."""

    seq: int
    id: UUID
    leg: int
    kind: str
    item: str
    item_id: UUID
    location: str
    location_id: UUID
    quantity: Decimal  # Signed.
    balance_after: Decimal
    cost_id: UUID | None
    cost_sealed: bytes | None
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    counterlocation: str | None


_SELECT = """
    SELECT m.seq, m.id, m.leg, m.kind, i.code AS item, m.item_id, l.name AS location,
           m.location_id, m.quantity, m.balance_after, m.cost_id, p.amount AS cost_sealed,
           m.reason, m.reference, m.actor, m.occurred_at, m.recorded_at,
           (SELECT cl.name FROM movements c JOIN locations cl ON cl.id = c.location_id
            WHERE m.kind = 'transfer' AND c.id = m.id AND c.leg <> m.leg) AS counterlocation
    FROM movements m
    JOIN items i ON i.id = m.item_id
    JOIN locations l ON l.id = m.location_id
    LEFT JOIN prices p ON p.id = m.cost_id
"""


async def find_movement(connection: asyncpg.Connection, movement_id: UUID) -> LedgerRow | None:
    """Return the first ledger row of a movement."""
    row = await connection.fetchrow(_SELECT + "WHERE m.id = $1 AND m.leg = 0", movement_id)
    return LedgerRow(**dict(row)) if row else None


async def list_movements(
    session: AsyncSession, filters: dict[str, Any], *, before_seq: int | None, limit: int
) -> list[LedgerRow]:
    """Return ledger rows, newest first, that match every filter given.

    filters may hold item, location, kind, reference, from_time and to_time.
    """
    conditions = [_CONDITIONS[name] for name in filters]
    if before_seq is not None:
        conditions.append("m.seq < :before_seq")
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    rows = await session.execute(
        text(_SELECT + where + "ORDER BY m.seq DESC LIMIT :limit"),
        {**filters, "before_seq": before_seq, "limit": limit},
    )
    return [LedgerRow(**row) for row in rows.mappings()]


_CONDITIONS = {
    "item": "m.item_id = (SELECT id FROM items WHERE code = :item)",
    "location": "m.location_id = (SELECT id FROM locations WHERE name = :location)",
    "kind": "m.kind = :kind",
    "reference": "m.reference = :reference",
    "from_time": "m.occurred_at >= :from_time",
    "to_time": "m.occurred_at < :to_time",
}
