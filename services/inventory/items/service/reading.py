"""Items as callers see them, alone and in lists."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.categories.models import Category
from services.inventory.categories.service import find_category, name_of
from services.inventory.items import metrics, queries
from services.inventory.items.errors import ItemNotFound
from services.inventory.items.models import Item
from services.inventory.items.rules import Doubt, Label, Units, doubts_of, in_order
from services.inventory.items.schemas import (
    BarcodeDoubt,
    BarcodeRead,
    ItemQuery,
    ItemRead,
    PackRead,
    SearchQuery,
)
from services.inventory.items.service.units import units_of
from services.inventory.locations.service import find_places, places_of
from services.inventory.prices import service as prices
from shared.db import Database
from shared.gtin import item_key
from shared.i18n import N_, translate
from shared.i18n.folding import folded
from shared.i18n.localised import said_in
from shared.identifiers import find_id, identifier_key
from shared.pagination import Keyset
from shared.principal import Principal
from shared.security.sealing import Sealer

_BY_CODE = Keyset("code", str)


async def get_item(session: AsyncSession, item_id: UUID) -> Item:
    """Return the item. Raises ItemNotFound."""
    item = await queries.find_item(session, item_id)
    if item is None:
        raise ItemNotFound(item=str(item_id))
    return item


async def measure(session: AsyncSession) -> None:
    """Set the gauge of items."""
    metrics.items.set(await queries.count_active(session))


async def get_named_items(session: AsyncSession, texts: Sequence[str]) -> list[queries.NamedItem]:
    """Return the items that texts name, each by its id, code or barcode, with that one's pack.

    Raises ItemNotFound.
    """
    ids = [find_id(named) for named in texts]
    keys = [None if found else item_key(named) for named, found in zip(texts, ids, strict=True)]
    items = []
    for named, item in zip(texts, await queries.list_named_items(session, ids, keys), strict=True):
        if item is None:
            raise ItemNotFound(item=named)
        items.append(item)
    return items


async def to_read(
    session: AsyncSession, sealer: Sealer, item: Item, *, caller: Principal, language: str
) -> ItemRead:
    """Return an item as the caller sees it: prices and places only as he may know of them."""
    places = await places_of(session, caller)
    total = await queries.total_stock(session, item.id, places=places)
    category = await category_of(session, item)
    labels, units = await queries.list_labels(session, item.id), units_of(item)
    cost, price = await prices.find_opened(
        session, sealer, item.cost_id, item.price_id, caller=caller
    )
    return ItemRead(
        id=item.id,
        code=item.code,
        name=said_in(language, item.name_en, item.name_fr),
        names={each: said_in(each, item.name_en, item.name_fr) for each in ("en", "fr")},
        descriptions={
            each: said_in(each, item.description_en, item.description_fr) for each in ("en", "fr")
        },
        category=name_of(category, language) if category else None,
        category_id=item.category_id,
        unit=item.unit,
        packs=[PackRead.model_validate(pack) for pack in units.packs],
        pack_size=item.pack_size,
        pack_unit=item.pack_unit,
        tracking=item.tracking,
        barcodes=[_barcode(label, units) for label in in_order(labels.values())],
        warnings=[doubt for label in labels.values() for doubt in _doubts(label, language)],
        par_level=item.par_level,
        reorder_point=item.reorder_point,
        reorder_quantity=item.reorder_quantity,
        maximum=item.maximum,
        lead_time_days=item.lead_time_days,
        attributes=item.attributes,
        unit_cost=cost.amount,
        price=price.amount,
        on_hand=total.on_hand,
        reserved=total.reserved,
        available=total.available,
        in_transit=total.in_transit,
        active=item.active,
        version=item.version,
        created_at=item.created_at,
        updated_at=item.updated_at,
        unreadable=[
            field for field, seen in (("unit_cost", cost), ("price", price)) if seen.is_unreadable
        ],
    )


def _barcode(label: Label, units: Units) -> str | BarcodeRead:
    pack = None if label.unit is None else units.find(label.unit)
    printed = label.barcode or ""
    return printed if pack is None else BarcodeRead(code=printed, unit=pack.unit)


def _doubts(label: Label, language: str) -> list[BarcodeDoubt]:
    barcode = label.barcode or ""
    doubts = doubts_of(barcode, is_pack=label.unit is not None)
    return [
        BarcodeDoubt(barcode=barcode, code=doubt, message=translate(_DOUBTS[doubt], language))
        for doubt in doubts
    ]


_DOUBTS = {
    Doubt.CHECK_DIGIT_WRONG: N_(
        "This is as long as a GTIN, but its last digit does not fit. Check it, unless it is your "
        "own number."
    ),
    Doubt.PACK_UNNAMED: N_(
        "The first digit says that this is on a pack. Give it the unit of that pack."
    ),
}


async def category_of(session: AsyncSession, item: Item) -> Category | None:
    """Return the category that an item is in, if any."""
    if item.category_id is None:
        return None
    return await find_category(session, item.category_id)


async def list_items(
    database: Database, wanted: ItemQuery, *, caller: Principal, language: str
) -> dict[str, Any]:
    """Return one page of items, JSON-ready, in the order of their codes. Raises InvalidCursor."""
    after = _BY_CODE.after(wanted.cursor)
    async with database.hot(caller.tenant_id) as connection:
        places = await find_places(connection, caller)
        rows = await queries.list_items(
            connection, wanted, language, after=after, places=places, limit=wanted.limit + 1
        )
    return _page(rows, wanted.limit)


async def search_items(
    database: Database, wanted: SearchQuery, *, caller: Principal, language: str
) -> dict[str, Any]:
    """Return the items that resemble the query, best first; case, accents, typos forgiven.

    The one that has it as its code or a barcode is the first.
    """
    async with database.hot(caller.tenant_id) as connection:
        rows = await queries.search_items(
            connection,
            folded(wanted.q),
            item_key(wanted.q),
            identifier_key(wanted.q),
            language,
            places=await find_places(connection, caller),
            limit=wanted.limit,
        )
    return {"items": rows, "next_cursor": None}


def _page(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    items, next_cursor = _BY_CODE.page(rows, limit, lambda row: (row["code"],))
    return {"items": items, "next_cursor": next_cursor}
