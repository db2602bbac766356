"""Single items, and their stock."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.models import Item
from shared.principal import Places


@dataclass(frozen=True, slots=True)
class StockTotal:
    """What lies of an item over several locations, in stock units."""

    on_hand: Decimal
    reserved: Decimal
    available: Decimal  # What is on hand without what is reserved or has expired.
    in_transit: Decimal  # Of what is on hand; all of it reserved.


async def count_active(session: AsyncSession) -> int:
    """Return how many items of all tenants are not retired."""
    return int((await session.execute(_COUNT_ACTIVE)).scalar_one())


async def find_item(session: AsyncSession, item_id: UUID) -> Item | None:
    return await session.get(Item, item_id)


class NamedItem(NamedTuple):
    """An item, and the key of the pack that the barcode by which it was named is printed on."""

    item: Item
    unit: str | None


async def list_named_items(
    session: AsyncSession, ids: Sequence[UUID | None], keys: Sequence[str | None]
) -> Sequence[NamedItem | None]:
    """Return the items of these ids or keys, of each one or the other, in their order."""
    rows = await session.execute(_NAMED, {"ids": list(ids), "keys": list(keys)})
    found = {row.n: (row.id, row.unit) for row in rows}
    wanted = {item_id for item_id, _ in found.values()}
    items = {
        item.id: item for item in await session.scalars(select(Item).where(Item.id.in_(wanted)))
    }
    return [
        NamedItem(items[found[n][0]], found[n][1]) if n in found else None
        for n in range(1, len(ids) + 1)
    ]


async def lock_item(
    session: AsyncSession, item_id: UUID, *, against_movements: bool = False
) -> Item | None:
    """Return the item, which nobody else changes until the transaction ends.

    Movements hold its row FOR KEY SHARE: they go on beside an ordinary edit, but not beside one
    that depends on the stock, which waits for those that run and holds off those that come.
    """
    query = select(Item).where(Item.id == item_id)
    return await session.scalar(query.with_for_update(key_share=not against_movements))


async def total_stock(session: AsyncSession, item_id: UUID, *, places: Places = None) -> StockTotal:
    """Return what lies of an item at these places."""
    parameters = {"item_id": item_id, "places": None if places is None else list(places)}
    row = (await session.execute(_TOTAL, parameters)).one()
    return StockTotal(row.on_hand, row.reserved, row.available, row.in_transit)


async def list_kits_of(session: AsyncSession, item_id: UUID, *, most: int) -> Sequence[str]:
    """Return the codes of active kits that are made of the item."""
    return (await session.scalars(_KITS_OF, {"item_id": item_id, "most": most})).all()


async def has_moved(session: AsyncSession, item_id: UUID) -> bool:
    """Say whether the ledger holds anything of the item."""
    return bool(await session.scalar(_HAS_MOVED, {"item_id": item_id}))


_TOTAL = text("""
    SELECT coalesce(sum(v.on_hand), 0) AS on_hand, coalesce(sum(v.reserved), 0) AS reserved,
           coalesce(sum(v.available), 0) AS available,
           coalesce(sum(v.on_hand) FILTER (WHERE l.type = 'transit'), 0) AS in_transit
    FROM levels_now v JOIN locations l ON l.id = v.location_id WHERE v.item_id = :item_id
        AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))""")
_NAMED = text("""
    SELECT a.n, i.id, l.unit
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[])) WITH ORDINALITY a(id, key, n)
    LEFT JOIN identifiers l ON l.key = a.key
    JOIN items i ON i.id = coalesce(a.id, l.item_id)""")
_KITS_OF = text("""
    SELECT i.code FROM kit_components c JOIN items i ON i.id = c.kit_id
    WHERE c.item_id = :item_id AND i.active ORDER BY i.code LIMIT :most""")
_HAS_MOVED = text("""
    SELECT EXISTS (SELECT FROM movements WHERE item_id = :item_id)
        OR EXISTS (SELECT FROM opening_balances WHERE item_id = :item_id)""")

_COUNT_ACTIVE = text("SELECT count_active_items()")
