"""Adding, changing, retiring and finding items."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.errors import (
    BarcodeTaken,
    ItemCodeTaken,
    ItemInStock,
    ItemNotFound,
    PriceForbidden,
)
from services.inventory.items import queries
from services.inventory.items.models import Item, Price
from services.inventory.items.rules import folded, search_text
from services.inventory.items.schemas import (
    ItemCreate,
    ItemQuery,
    ItemRead,
    ItemUpdate,
    LocalisedName,
)
from shared import journal
from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.prices import UNIT_AMOUNT_COLUMN, PriceSet
from shared.db import Database
from shared.etag import require_match
from shared.ids import new_id
from shared.pagination import decode_cursor, encode_cursor
from shared.principal import Principal
from shared.security.sealing import Sealer, place

SET_PRICES = "price:write"
_BY_CODE = "code"


async def add_item(
    session: AsyncSession, sealer: Sealer, wanted: ItemCreate, *, caller: Principal, now: datetime
) -> Item:
    """Add an item. Raises ItemCodeTaken, BarcodeTaken, PriceForbidden."""
    if await queries.is_code_taken(session, wanted.code):
        raise ItemCodeTaken(item=wanted.code)
    name_en, name_fr = _both(wanted.name)
    description_en, description_fr = _both(wanted.description)
    item = Item(
        id=new_id(),
        code=wanted.code,
        name_en=name_en,
        name_fr=name_fr,
        description_en=description_en,
        description_fr=description_fr,
        unit=wanted.unit,
        pack_size=wanted.pack_size,
        tracking=wanted.tracking,
        search_text="",
        created_at=now,
        updated_at=now,
        **wanted.model_dump(include=_PLAIN_FIELDS),
    )
    session.add(item)
    await _flush(session, item)
    await _set_barcodes(session, item, wanted.barcodes)
    await _set_prices(session, sealer, item, wanted, caller)
    await _finish(session, item, [])
    return item


async def change_item(
    session: AsyncSession,
    sealer: Sealer,
    item_id: UUID,
    wanted: ItemUpdate,
    if_match: str | None,
    *,
    caller: Principal,
    now: datetime,
) -> Item:
    """Change the fields given.

    Raises ItemNotFound, PreconditionFailed, BarcodeTaken, PriceForbidden.
    """
    item = await get_item(session, item_id, lock=True)
    require_match(if_match, item.version)
    given = wanted.model_fields_set
    for name in given & (_PLAIN_FIELDS | {"unit", "pack_size", "active"}):
        setattr(item, name, getattr(wanted, name))
    if wanted.name is not None:
        item.name_en, item.name_fr = _both(wanted.name)
    if "description" in given:
        item.description_en, item.description_fr = _both(wanted.description)
    if wanted.barcodes is not None:
        await _set_barcodes(session, item, wanted.barcodes)
    await _set_prices(session, sealer, item, wanted, caller)
    item.version += 1
    item.updated_at = now
    await _finish(session, item, sorted(given))
    return item


async def retire_item(
    session: AsyncSession, item_id: UUID, if_match: str | None, *, now: datetime
) -> None:
    """Retire an item that has no stock. Raises ItemNotFound, PreconditionFailed, ItemInStock."""
    item = await get_item(session, item_id, lock=True)
    require_match(if_match, item.version)
    total = await queries.total_stock(session, item_id)
    if total.on_hand:
        raise ItemInStock(on_hand=total.on_hand)
    if item.active:
        item.active = False
        item.version += 1
        item.updated_at = now
        await _finish(session, item, ["active"])


async def get_item(session: AsyncSession, item_id: UUID, *, lock: bool = False) -> Item:
    """Return the item. Raises ItemNotFound."""
    item = await queries.find_item(session, item_id, lock=lock)
    if item is None:
        raise ItemNotFound(item=str(item_id))
    return item


async def read_item(
    session: AsyncSession, sealer: Sealer, item: Item, *, caller: Principal, language: str
) -> ItemRead:
    """Return an item as callers see it: prices only for those who may see them."""
    total = await queries.total_stock(session, item.id)
    price_ids = [p for p in (item.cost_id, item.price_id) if p and caller.may(SET_PRICES)]
    amounts = await queries.find_amounts(session, price_ids)

    def opened(price_id: UUID | None) -> Decimal | None:
        if price_id not in amounts:
            return None
        where = place(UNIT_AMOUNT_COLUMN, caller.tenant_id, price_id)
        return sealer.open_amount(amounts[price_id], where)

    shown = {name: getattr(item, name) for name in _SHOWN_FIELDS}
    return ItemRead(
        **shown,
        name=_named(item.name_en, item.name_fr, language),
        names={"en": item.name_en, "fr": item.name_fr},
        descriptions={"en": item.description_en, "fr": item.description_fr},
        barcodes=await queries.list_barcodes(session, item.id),
        unit_cost=opened(item.cost_id),
        price=opened(item.price_id),
        on_hand=total.on_hand,
        reserved=total.reserved,
        available=total.available,
    )


async def list_items(
    database: Database,
    tenant_id: UUID,
    wanted: ItemQuery,
    *,
    language: str,
) -> dict[str, Any]:
    """Return one page of items, JSON-ready, in the order of their codes. Raises InvalidCursor."""
    after_code = _after_code(wanted.cursor)
    async with database.hot(tenant_id) as connection:
        rows = await queries.list_items(
            connection, wanted, language, after_code=after_code, limit=wanted.limit + 1
        )
    return _page(rows, wanted.limit)


async def list_low_stock(
    database: Database, tenant_id: UUID, *, cursor: str | None, limit: int, language: str
) -> dict[str, Any]:
    """Return one page of the items to reorder, JSON-ready. Raises InvalidCursor."""
    after_code = _after_code(cursor)
    async with database.hot(tenant_id) as connection:
        rows = await queries.list_low_stock(
            connection, language, after_code=after_code, limit=limit + 1
        )
    return _page(rows, limit)


async def search_items(
    database: Database, tenant_id: UUID, query: str, *, limit: int, language: str
) -> dict[str, Any]:
    """Return the items that resemble the query, best first; case, accents, typos forgiven."""
    async with database.hot(tenant_id) as connection:
        rows = await queries.search_items(connection, folded(query), language, limit)
    return {"items": rows, "next_cursor": None}


def _after_code(cursor: str | None) -> str | None:
    after = decode_cursor(cursor, _BY_CODE, 1)
    return str(after[0]) if after else None


def _page(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    page = rows[:limit]
    more = len(rows) > limit
    return {
        "items": page,
        "next_cursor": encode_cursor(_BY_CODE, [page[-1]["code"]]) if more else None,
    }


async def _set_barcodes(session: AsyncSession, item: Item, barcodes: list[str]) -> None:
    try:
        await queries.replace_barcodes(session, item.id, barcodes)
    except IntegrityError as error:
        raise BarcodeTaken from error


async def _set_prices(
    session: AsyncSession,
    sealer: Sealer,
    item: Item,
    wanted: ItemCreate | ItemUpdate,
    caller: Principal,
) -> None:
    given: dict[Literal["cost", "price"], Decimal | None] = {
        "cost": wanted.unit_cost,
        "price": wanted.price,
    }
    for kind, amount in given.items():
        if amount is None:
            continue
        if not caller.may(SET_PRICES):
            raise PriceForbidden
        price_id = new_id()
        sealed = sealer.seal_amount(amount, place(UNIT_AMOUNT_COLUMN, caller.tenant_id, price_id))
        session.add(Price(id=price_id, item_id=item.id, kind=kind, source="item", amount=sealed))
        setattr(item, f"{kind}_id", price_id)
        journal.record(
            session,
            PriceSet(
                price_id=price_id,
                item_id=item.id,
                kind=kind,
                amount_sealed=base64.b64encode(sealed).decode(),
            ),
        )


async def _finish(session: AsyncSession, item: Item, changed: list[str]) -> None:
    barcodes = await queries.list_barcodes(session, item.id)
    item.search_text = search_text(
        [item.code, item.name_en, item.name_fr, item.category, *barcodes]
    )
    values = {name: getattr(item, name) for name in ItemSaved.model_fields if name in _ON_ITEM}
    journal.record(session, ItemSaved(item_id=item.id, changed=changed, **values))


async def _flush(session: AsyncSession, item: Item) -> None:
    """Write the new item now, so that a code taken meanwhile is told apart from other faults."""
    try:
        await session.flush()
    except IntegrityError as error:
        raise ItemCodeTaken(item=item.code) from error


def _both(name: LocalisedName | None) -> tuple[str, str]:
    if name is None:
        return "", ""
    english, french = name.en or name.fr or "", name.fr or name.en or ""
    return english, french


def _named(name_en: str, name_fr: str, language: str) -> str:
    return name_fr if language == "fr" else name_en


_PLAIN_FIELDS = {
    "category", "pack_unit", "par_level", "reorder_point", "reorder_quantity", "lead_time_days"
}  # fmt: skip
_SHOWN_FIELDS = _PLAIN_FIELDS | {
    "id", "code", "unit", "pack_size", "tracking", "active", "version", "created_at", "updated_at"
}  # fmt: skip
_ON_ITEM = set(Item.__mapper__.columns.keys())
