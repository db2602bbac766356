from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, exists, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.models import Barcode, Item, Price


@dataclass(frozen=True, slots=True)
class StockTotal:
    """What lies of an item over all locations, in stock units."""

    on_hand: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items to list; None means any."""

    category: str | None = None
    location: str | None = None
    active: bool | None = True
    below_par: bool = False


async def find_item(session: AsyncSession, item_id: UUID, *, lock: bool = False) -> Item | None:
    """Return the item; with `lock`, nobody else changes it until the transaction ends."""
    query = select(Item).where(Item.id == item_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def is_code_taken(session: AsyncSession, code: str) -> bool:
    return bool(await session.scalar(select(exists().where(Item.code == code))))


async def list_barcodes(session: AsyncSession, item_id: UUID) -> list[str]:
    query = select(Barcode.barcode).where(Barcode.item_id == item_id).order_by(Barcode.barcode)
    return list(await session.scalars(query))


async def replace_barcodes(session: AsyncSession, item_id: UUID, barcodes: Sequence[str]) -> None:
    await session.execute(delete(Barcode).where(Barcode.item_id == item_id))
    if barcodes:
        rows = [{"barcode": barcode, "item_id": item_id} for barcode in sorted(set(barcodes))]
        await session.execute(insert(Barcode), rows)


async def find_amounts(session: AsyncSession, price_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the sealed amounts of these prices by id."""
    if not price_ids:
        return {}
    rows = await session.execute(select(Price.id, Price.amount).where(Price.id.in_(price_ids)))
    return {row.id: row.amount for row in rows}


async def total_stock(session: AsyncSession, item_id: UUID) -> StockTotal:
    row = (await session.execute(_TOTAL, {"item_id": item_id})).one()
    return StockTotal(row.on_hand, row.reserved)


async def list_items(
    session: AsyncSession, wanted: ItemFilter, *, after_code: str | None, limit: int
) -> Sequence[RowMapping]:
    """Return items with their totals in the order of their codes."""
    conditions = ["true"]
    if wanted.active is not None:
        conditions.append("i.active = :active")
    if wanted.category is not None:
        conditions.append("i.category = :category")
    if wanted.location is not None:
        conditions.append(_AT_LOCATION)
    if wanted.below_par:
        conditions.append("t.on_hand - t.reserved < i.par_level")
    if after_code is not None:
        conditions.append("i.code > :after_code")
    statement = f"{_ITEMS} WHERE {' AND '.join(conditions)} ORDER BY i.code LIMIT :limit"
    parameters: dict[str, Any] = {
        "active": wanted.active,
        "category": wanted.category,
        "location": wanted.location,
        "after_code": after_code,
        "limit": limit,
    }
    return (await session.execute(text(statement), parameters)).mappings().all()


async def search_items(session: AsyncSession, query: str, limit: int) -> Sequence[RowMapping]:
    """Return items that resemble a folded query, best first; forgives typos."""
    return (await session.execute(_SEARCH, {"query": query, "limit": limit})).mappings().all()


async def list_low_stock(
    session: AsyncSession, *, after_code: str | None, limit: int
) -> Sequence[RowMapping]:
    """Return active items whose available stock is at or below the reorder point, by code."""
    parameters = {"after_code": after_code or "", "limit": limit}
    return (await session.execute(_LOW, parameters)).mappings().all()


_ITEMS = """
    SELECT i.id, i.code, i.name_en, i.name_fr, i.category, i.unit, i.par_level, i.reorder_point,
           i.reorder_quantity, i.lead_time_days, i.pack_size, i.pack_unit, i.active, i.updated_at,
           t.on_hand, t.reserved, t.on_hand - t.reserved AS available
    FROM items i
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved
        FROM levels WHERE item_id = i.id
    ) t
"""
_AT_LOCATION = """EXISTS (
    SELECT FROM levels v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = i.id AND l.name = :location AND v.on_hand > 0)"""
_TOTAL = text("""
    SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved
    FROM levels WHERE item_id = :item_id""")
_SEARCH = text(f"""
    {_ITEMS} JOIN search_items(:query, :limit) s ON s.id = i.id
    ORDER BY s.rank DESC, length(i.search_text), i.id""")
_LOW = text(f"""
    {_ITEMS} WHERE i.active AND i.reorder_point IS NOT NULL AND i.code > :after_code
        AND t.on_hand - t.reserved <= i.reorder_point
    ORDER BY i.code LIMIT :limit""")
