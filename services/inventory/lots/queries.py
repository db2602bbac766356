from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import LotName, Reference
from services.inventory.lots.models import ItemLot
from services.inventory.lots.rules import Kin, Link
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


async def find_lots(
    session: AsyncSession, name: LotName, item: Reference | None, *, places: Places
) -> list[Kin]:
    """Return the lots so called, of an item or of any if none is named, that were at the places."""
    parameters = {
        "key": name.key,
        "any_item": item is None,
        "item_id": item.id if item else None,
        "item_key": item.key if item else None,
        "places": None if places is None else list(places),
    }
    rows = await session.execute(_NAMED, parameters)
    return [Kin(row.id, row.item_id, row.item_id) for row in rows]


async def list_links(
    session: AsyncSession, lot_ids: Collection[UUID], *, forward: bool, places: Places
) -> dict[UUID, list[Link]]:
    """Return which lots these became by assemblies at the places, or else were made of, by lot.

    What was undone ties nothing.
    """
    parameters = {
        "lot_ids": list(lot_ids),
        "sign": -1 if forward else 1,
        "joins": "assembly" if forward else "disassembly",
        "places": None if places is None else list(places),
    }
    links: dict[UUID, list[Link]] = {}
    for row in await session.execute(_LINKS, parameters):
        links.setdefault(row.lot_id, []).append(Link(*row))
    return links


async def list_assembled(
    session: AsyncSession, assembly_ids: Collection[UUID], *, limit_each: int
) -> Sequence[RowMapping]:
    """Return what left and what came by each of these assemblies, lot by lot."""
    parameters = {"ids": list(assembly_ids), "limit_each": limit_each}
    return (await session.execute(_ASSEMBLED, parameters)).mappings().all()


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
_NAMED = text(f"""
    SELECT t.id, t.item_id FROM lots t WHERE t.key = :key AND {_HAS_LOTS} AND {_WAS_AT}
        AND (:any_item OR t.item_id = (SELECT coalesce(
            CAST(:item_id AS uuid), (SELECT item_id FROM identifiers WHERE key = :item_key))))
    """)  # noqa: S608 - of constants alone.
_LINKS = text("""
    SELECT DISTINCT a.lot_id, b.lot_id AS other_id, b.item_id AS other_item_id,
           a.kind = :joins AS joins,
           EXISTS (SELECT FROM kits WHERE item_id = b.item_id) AS is_kit
    FROM movements a JOIN movements b ON b.part_of = a.part_of
    WHERE a.lot_id = ANY(CAST(:lot_ids AS uuid[]))
        AND a.lot_id <> '00000000-0000-0000-0000-000000000000'
        AND a.kind IN ('assembly', 'disassembly') AND b.kind = a.kind
        AND b.lot_id <> '00000000-0000-0000-0000-000000000000'
        AND sign(a.quantity) = :sign AND sign(b.quantity) = -:sign
        AND (CAST(:places AS uuid[]) IS NULL OR a.location_id = ANY(CAST(:places AS uuid[])))
        AND NOT EXISTS (SELECT FROM reversals WHERE movement_id = a.id)
    ORDER BY a.lot_id, b.lot_id""")
_ASSEMBLED = text("""
    SELECT part_of, item, item_id, tracking, code, quantity FROM (
        SELECT m.part_of, i.code AS item, m.item_id, i.tracking, t.code,
               sum(m.quantity) AS quantity,
               row_number() OVER (PARTITION BY m.part_of, sign(m.quantity)
                                  ORDER BY i.code, t.key) AS number
        FROM movements m JOIN items i ON i.id = m.item_id LEFT JOIN lots t ON t.id = m.lot_id
        WHERE m.part_of = ANY(CAST(:ids AS uuid[])) AND m.kind IN ('assembly', 'disassembly')
        GROUP BY m.part_of, i.code, m.item_id, i.tracking, t.code, t.key, sign(m.quantity)
    ) found
    WHERE number <= :limit_each ORDER BY part_of, number""")
