from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import LotName, Reference
from services.inventory.lots.models import ItemLot
from shared.principal import Places


async def lock_lot(session: AsyncSession, item_id: UUID, lot_id: UUID) -> ItemLot | None:
    query = select(ItemLot).where(ItemLot.id == lot_id, ItemLot.item_id == item_id)
    return await session.scalar(query.with_for_update())


async def list_lots(
    session: AsyncSession,
    item_id: UUID,
    *,
    in_stock: bool,
    after: tuple[str, datetime, UUID] | None,
    places: Places,
    limit: int,
) -> Sequence[RowMapping]:
    """Return lots of an item that were at these places, in the order in which they go out."""
    day, at, lot_id = after or (None, None, None)
    parameters = {
        "item_id": item_id,
        "in_stock": in_stock,
        "day": day,
        "at": at,
        "lot_id": lot_id,
        "places": None if places is None else list(places),
        "limit": limit,
    }
    return (await session.execute(_LOTS, parameters)).mappings().all()


async def list_stock(
    session: AsyncSession, item_id: UUID, lot_ids: Collection[UUID], *, places: Places
) -> Sequence[RowMapping]:
    """Return what lies of these lots at each of the places."""
    parameters = {
        "item_id": item_id,
        "lot_ids": list(lot_ids),
        "places": None if places is None else list(places),
    }
    return (await session.execute(_STOCK, parameters)).mappings().all()


async def has_lot(
    session: AsyncSession, name: LotName, item: Reference | None, *, places: Places
) -> bool:
    """Say whether an item, or any if none is named, has a lot so called that was at the places."""
    parameters = {
        "key": name.key,
        "any_item": item is None,
        "item_id": item.id if item else None,
        "item_key": item.key if item else None,
        "places": None if places is None else list(places),
    }
    return bool(await session.scalar(_HAS_LOT, parameters))


_WAS_AT = """(CAST(:places AS uuid[]) IS NULL OR EXISTS (
            SELECT FROM levels WHERE item_id = t.item_id AND lot_id = t.id
                AND location_id = ANY(CAST(:places AS uuid[]))))"""
# Serials are rows of `lots` too, and none of these.
_HAS_LOTS = "EXISTS (SELECT FROM items WHERE id = t.item_id AND tracking = 'lot')"
# A lot without expiry comes last: ~ is after every digit.
_LOTS = text(f"""
    SELECT * FROM (
        SELECT t.id, t.item_id, t.code AS lot, t.expires_on, t.received_at, t.version,
               coalesce(to_char(t.expires_on, 'YYYY-MM-DD'), '~') COLLATE "C" AS day
        FROM lots t
        WHERE t.item_id = :item_id AND {_HAS_LOTS} AND {_WAS_AT}
            AND (NOT :in_stock OR EXISTS (
                SELECT FROM levels WHERE item_id = t.item_id AND lot_id = t.id AND on_hand > 0
                    AND (CAST(:places AS uuid[]) IS NULL
                         OR location_id = ANY(CAST(:places AS uuid[])))))
    ) found
    WHERE CAST(:day AS text) IS NULL OR (day, received_at, id)
        > (CAST(:day AS text) COLLATE "C", CAST(:at AS timestamptz), CAST(:lot_id AS uuid))
    ORDER BY day, received_at, id LIMIT :limit""")  # noqa: S608 - of constants alone.
_STOCK = text("""
    SELECT v.lot_id, l.name AS location, v.location_id, v.on_hand, v.reserved, v.available
    FROM levels_now v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = :item_id AND v.lot_id = ANY(CAST(:lot_ids AS uuid[])) AND v.on_hand > 0
        AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))
    ORDER BY l.name""")
_HAS_LOT = text(f"""
    SELECT EXISTS (
        SELECT FROM lots t WHERE t.key = :key AND {_HAS_LOTS} AND {_WAS_AT}
            AND (:any_item OR t.item_id = (SELECT coalesce(
                CAST(:item_id AS uuid), (SELECT item_id FROM identifiers WHERE key = :item_key))))
    )""")  # noqa: S608 - of constants alone.
