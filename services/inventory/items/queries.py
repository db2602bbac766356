from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import delete, exists, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.models import Barcode, Item, Price
from services.inventory.items.schemas import ItemQuery


@dataclass(frozen=True, slots=True)
class StockTotal:
    """What lies of an item over all locations, in stock units."""

    on_hand: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved


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
    connection: asyncpg.Connection,
    wanted: ItemQuery,
    language: str,
    *,
    after_code: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return items with their totals in the order of their codes, decimals as text."""
    parameters: list[object] = [language, limit]

    def given(value: object) -> str:
        parameters.append(value)
        return f"${len(parameters)}"

    conditions = ["true"]
    if wanted.active is not None:
        conditions.append(f"i.active = {given(wanted.active)}")
    if wanted.category is not None:
        conditions.append(f"i.category = {given(wanted.category)}")
    if wanted.location is not None:
        conditions.append(_AT_LOCATION.format(name=given(wanted.location)))
    if wanted.below_par:
        conditions.append("t.on_hand - t.reserved < i.par_level")
    if after_code is not None:
        conditions.append(f"i.code > {given(after_code)}")
    statement = f"{_ITEMS} WHERE {' AND '.join(conditions)} ORDER BY i.code LIMIT $2"
    return _dicts(await connection.fetch(statement, *parameters))


async def search_items(
    connection: asyncpg.Connection, query: str, language: str, limit: int
) -> list[dict[str, Any]]:
    """Return items that resemble a folded query, best first; forgives typos."""
    return _dicts(await connection.fetch(_SEARCH, language, limit, query))


async def list_low_stock(
    connection: asyncpg.Connection, language: str, *, after_code: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return active items whose available stock is at or below the reorder point, by code."""
    return _dicts(await connection.fetch(_LOW, language, limit, after_code or ""))


def _dicts(rows: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    """Return rows as dictionaries; asking each row for its columns takes three times as long."""
    names = tuple(rows[0].keys()) if rows else ()
    return [dict(zip(names, row, strict=True)) for row in rows]


_ITEMS = """
    SELECT i.id::text AS id, i.code, CASE $1 WHEN 'fr' THEN i.name_fr ELSE i.name_en END AS name,
           i.category, i.unit, trim_scale(t.on_hand)::text AS on_hand,
           trim_scale(t.reserved)::text AS reserved,
           trim_scale(t.on_hand - t.reserved)::text AS available,
           trim_scale(i.par_level)::text AS par_level,
           trim_scale(i.reorder_point)::text AS reorder_point,
           trim_scale(i.reorder_quantity)::text AS reorder_quantity, i.lead_time_days,
           trim_scale(i.pack_size)::text AS pack_size, i.pack_unit, i.active, i.updated_at
    FROM items i
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved
        FROM levels WHERE item_id = i.id
    ) t
"""
_AT_LOCATION = """EXISTS (
    SELECT FROM levels v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = i.id AND l.name = {name} AND v.on_hand > 0)"""
_TOTAL = text("""
    SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved
    FROM levels WHERE item_id = :item_id""")
_SEARCH = f"""
    {_ITEMS} JOIN search_items($3, $2) s ON s.id = i.id
    ORDER BY s.rank DESC, length(i.search_text), i.id"""
_LOW = f"""
    {_ITEMS} WHERE i.active AND i.reorder_point IS NOT NULL AND i.code > $3
        AND t.on_hand - t.reserved <= i.reorder_point
    ORDER BY i.code LIMIT $2"""
