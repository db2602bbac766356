"""What lies where, now and at any past moment."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.errors import ItemNotFound
from services.inventory.items.service import get_item
from services.inventory.locations.service import get_location_by_name
from services.inventory.stock import queries
from services.inventory.stock.schemas import (
    ItemStockRead,
    LocatedItem,
    LocatedItemPage,
    LookupRead,
    StockRead,
)
from shared.db import Database
from shared.pagination import decode_cursor, encode_cursor

_BY_CODE = "code"


async def look_up(database: Database, tenant_id: UUID, code: str, language: str) -> LookupRead:
    """Return the item with this code or barcode and its stock by location. Raises ItemNotFound."""
    async with database.hot(tenant_id) as connection:
        rows = await queries.look_up(connection, code)
    if not rows:
        raise ItemNotFound(item=code)
    first = rows[0]
    stock = [_stock(row) for row in rows if row["location_id"] is not None]
    on_hand = sum((place.on_hand for place in stock), Decimal(0))
    reserved = sum((place.reserved for place in stock), Decimal(0))
    return LookupRead.model_construct(
        id=first["id"],
        code=first["code"],
        name=first["name_fr" if language == "fr" else "name_en"],
        category=first["category"],
        unit=first["unit"],
        active=first["active"],
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        stock=stock,
    )


async def stock_of(session: AsyncSession, item_id: UUID, as_of: datetime) -> ItemStockRead:
    """Return what lay of an item at a moment, by location. Raises ItemNotFound."""
    item = await get_item(session, item_id)
    rows = await queries.stock_as_of(session, item_id, as_of)
    stock = [
        StockRead(
            location=row["location"],
            location_id=row["location_id"],
            lot=None,
            on_hand=row["on_hand"],
            reserved=Decimal(0),
            available=row["on_hand"],
        )
        for row in rows
    ]
    return ItemStockRead(
        item_id=item.id,
        code=item.code,
        as_of=as_of,
        on_hand=sum((place.on_hand for place in stock), Decimal(0)),
        stock=stock,
    )


async def list_at_location(
    session: AsyncSession, name: str, *, cursor: str | None, limit: int, language: str
) -> LocatedItemPage:
    """Return one page of what lies at a location. Raises LocationNotFound, InvalidCursor."""
    location = await get_location_by_name(session, name)
    after = decode_cursor(cursor, _BY_CODE, 1)
    rows = await queries.list_at_location(
        session, location.id, after_code=after[0] if after else None, limit=limit + 1
    )
    page = rows[:limit]
    named = "name_fr" if language == "fr" else "name_en"
    return LocatedItemPage(
        items=[LocatedItem.model_construct(**row, name=row[named]) for row in page],
        next_cursor=encode_cursor(_BY_CODE, [page[-1]["code"]]) if len(rows) > limit else None,
    )


def _stock(row: asyncpg.Record) -> StockRead:
    return StockRead.model_construct(
        location=row["location"],
        location_id=row["location_id"],
        lot=None,
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        available=row["on_hand"] - row["reserved"],
    )
