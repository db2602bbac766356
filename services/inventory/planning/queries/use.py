from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import CLOCK_TOLERANCE
from shared.principal import Places


class Used(NamedTuple):
    """How much of an item was used, and when it first moved, at any place."""

    quantity: Decimal
    first_at: datetime


async def sum_use(
    session: AsyncSession,
    item_ids: Collection[UUID],
    *,
    since: datetime,
    until: datetime,
    places: Places,
) -> Mapping[UUID, Used]:
    """Return what was issued of items at the places, less what customers returned.

    With it when each first moved, at any place. By business time; what was undone never happened.
    Nothing is recorded before it happens, so of use only the months since are looked at.
    """
    names = {
        "item_ids": list(item_ids),
        "since": since,
        "until": until,
        "recorded_since": since - CLOCK_TOLERANCE,
        "places": None if places is None else list(places),
    }
    rows = await session.execute(_USE, names)
    return {row.item_id: Used(row.used, row.first_at) for row in rows}


async def list_under_way(
    session: AsyncSession, item_ids: Collection[UUID], *, places: Places
) -> Sequence[RowMapping]:
    """Return what of items is on its way to the places, by when it is expected."""
    known = None if places is None else list(places)
    rows = await session.execute(_UNDER_WAY, {"item_ids": list(item_ids), "places": known})
    return rows.mappings().all()


_USE = text("""
    SELECT u.item_id, u.used,
           least((SELECT min(occurred_at) FROM movements WHERE item_id = u.item_id),
                 (SELECT min(first_at) FROM opening_balances WHERE item_id = u.item_id))
               AS first_at
    FROM (
        SELECT m.item_id, -sum(m.quantity) AS used
        FROM movements m LEFT JOIN reversals r ON r.movement_id = m.id
        WHERE m.item_id = ANY(CAST(:item_ids AS uuid[])) AND m.kind IN ('issue', 'return')
            AND (m.kind = 'issue' OR m.quantity > 0) AND r.movement_id IS NULL
            AND m.occurred_at > :since AND m.occurred_at <= :until
            AND m.recorded_at > :recorded_since
            AND (CAST(:places AS uuid[]) IS NULL
                 OR m.location_id = ANY(CAST(:places AS uuid[])))
        GROUP BY m.item_id OFFSET 0
    ) u""")
_UNDER_WAY = text("""
    SELECT item_id, expected_at, sum(quantity - arrived) AS quantity FROM transfers
    WHERE item_id = ANY(CAST(:item_ids AS uuid[])) AND received IS NULL
        AND (CAST(:places AS uuid[]) IS NULL OR to_id = ANY(CAST(:places AS uuid[])))
    GROUP BY item_id, expected_at""")
