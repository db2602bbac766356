from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.principal import Places


async def list_supply(
    session: AsyncSession, item_id: UUID, *, places: Places
) -> Sequence[RowMapping]:
    """Return what lies of an item at each of the places, by the last day of its lots."""
    names = {"item_id": item_id, "places": _known(places)}
    return (await session.execute(_SUPPLY, names)).mappings().all()


async def list_expected(
    session: AsyncSession, item_id: UUID, *, until: datetime | None, places: Places, most: int
) -> Sequence[RowMapping]:
    """Return what transfers carry to the places, by their time; what has none is last."""
    names = {"item_id": item_id, "until": until, "places": _known(places), "most": most}
    return (await session.execute(_EXPECTED, names)).mappings().all()


async def list_holds_ending(
    session: AsyncSession,
    item_id: UUID,
    *,
    until: datetime | None,
    places: Places,
    most: int,
) -> Sequence[RowMapping]:
    """Return how much stops being held at the places when, the first at most so many times."""
    names = {"item_id": item_id, "until": until, "places": _known(places), "most": most}
    return (await session.execute(_HOLDS_ENDING, names)).mappings().all()


def _known(places: Places) -> list[UUID] | None:
    return None if places is None else list(places)


_SUPPLY = text("""
    SELECT v.location_id, l.name AS location, l.type = 'transit' AS is_transit, t.expires_on,
           sum(v.on_hand) AS on_hand, sum(v.reserved) AS reserved, sum(v.available) AS available
    FROM levels_now v JOIN locations l ON l.id = v.location_id LEFT JOIN lots t ON t.id = v.lot_id
    WHERE v.item_id = :item_id AND v.on_hand > 0
        AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))
    GROUP BY v.location_id, l.name, l.type, t.expires_on ORDER BY l.name, t.expires_on""")
_EXPECTED = text("""
    SELECT t.id AS source_id, t.to_id AS location_id, l.name AS location, o.expires_on,
           sum(p.quantity - p.arrived) AS quantity, t.expected_at
    FROM transfers t JOIN transfer_parts p ON p.transfer_id = t.id
    JOIN locations l ON l.id = t.to_id LEFT JOIN lots o ON o.id = p.lot_id
    WHERE t.item_id = :item_id AND t.received IS NULL AND p.quantity > p.arrived
        AND (CAST(:until AS timestamptz) IS NULL OR t.expected_at IS NULL
            OR t.expected_at <= :until)
        AND (CAST(:places AS uuid[]) IS NULL OR t.to_id = ANY(CAST(:places AS uuid[])))
    GROUP BY t.id, t.to_id, t.expected_at, l.name, o.expires_on
    ORDER BY t.expected_at, t.id, o.expires_on LIMIT :most""")
_HOLDS_ENDING = text("""
    SELECT expires_at, sum(held) AS quantity FROM reservation_holds
    WHERE item_id = :item_id AND held > 0 AND expires_at > now()
        AND (CAST(:until AS timestamptz) IS NULL OR expires_at <= :until)
        AND (CAST(:places AS uuid[]) IS NULL OR location_id = ANY(CAST(:places AS uuid[])))
    GROUP BY expires_at ORDER BY expires_at LIMIT :most""")
