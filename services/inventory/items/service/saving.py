"""Adding, changing and retiring items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.attributes.rules import merged
from services.inventory.attributes.service import require_fit
from services.inventory.categories.errors import CategoryNotFound
from services.inventory.categories.service import (
    get_or_add_category,
    hold_tree,
    name_of,
    search_words,
)
from services.inventory.freezes import service as freezes
from services.inventory.items import queries
from services.inventory.items.errors import (
    ItemCodeTaken,
    ItemInKits,
    ItemInStock,
    ItemNotFound,
    ItemTrackingInUse,
    ItemUnitInUse,
)
from services.inventory.items.models import Item
from services.inventory.items.rules import Label, barcodes_of, search_text
from services.inventory.items.schemas import ItemCreate, ItemUpdate, LocalisedText
from services.inventory.items.service.naming import name_item
from services.inventory.items.service.reading import category_of
from services.inventory.items.service.units import (
    UNIT_FIELDS,
    changed_units,
    new_units,
    packs_saved,
    set_units,
    units_of,
)
from services.inventory.prices import service as prices
from shared import journal
from shared.contracts.inventory.items import ItemSaved
from shared.db.conflicts import conflicts
from shared.etag import require_match
from shared.i18n.localised import said_in
from shared.ids import new_id
from shared.principal import Principal
from shared.schemas import LocalisedName
from shared.security.sealing import Sealer

KITS_NAMED = 100  # In a refusal.


async def add_item(
    session: AsyncSession, sealer: Sealer, wanted: ItemCreate, *, caller: Principal, now: datetime
) -> Item:
    """Add an item.

    Raises CategoryNotFound, CategoryAmbiguous, ItemCodeTaken, BarcodeTaken, BarcodeOnTwoUnits,
    PackBarcodeIsCode,
    PackIsStockUnit, PackSizeContradicts, UnknownUnit, PriceForbidden,
    AttributesInvalid, Frozen.
    """
    await freezes.require_thawed(session)
    category_id = await _find_category_id(session, wanted, now)
    await require_fit(session, category_id, merged({}, wanted.attributes))
    item = Item(id=new_id(), active=True, version=1, search_text="", created_at=now, updated_at=now)
    _fill(item, wanted)
    item.category_id = category_id
    session.add(item)
    await _write(session, item)
    labels = await name_item(session, item, code=wanted.code, barcodes=wanted.barcodes)
    _set_prices(session, sealer, item, wanted, caller)
    await _finish(session, item, labels, changed=[])
    return item


async def replace_item(
    session: AsyncSession,
    sealer: Sealer,
    item_id: UUID,
    wanted: ItemCreate,
    if_match: str | None,
    *,
    caller: Principal,
    now: datetime,
) -> Item:
    """Make an item what the body says; what it does not say is as for a new item.

    Costs and prices are put in force, never taken out of it: one that is not given stays.
    Raises ItemNotFound, PreconditionFailed, ItemUnitInUse, ItemTrackingInUse, CategoryNotFound,
    CategoryAmbiguous,
    ItemCodeTaken, BarcodeTaken, BarcodeOnTwoUnits,
    PackBarcodeIsCode, PackIsStockUnit, PackSizeContradicts,
    UnknownUnit, PriceForbidden, AttributesInvalid, Frozen.
    """
    await freezes.require_thawed(session, alone=True)
    category_id = await _find_category_id(session, wanted, now)
    await require_fit(session, category_id, merged({}, wanted.attributes))
    item = await lock_item(session, item_id, against_movements=True)
    require_match(if_match, item.version)
    await _require_unmoved(session, item, wanted.unit, wanted.tracking)
    _fill(item, wanted)
    item.category_id = category_id
    await _write(session, item)
    labels = await name_item(session, item, code=wanted.code, barcodes=wanted.barcodes)
    _set_prices(session, sealer, item, wanted, caller)
    _renew(item, now)
    await _finish(session, item, labels, changed=sorted(ItemCreate.model_fields))
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

    Raises ItemNotFound, PreconditionFailed, ItemUnitInUse, ItemTrackingInUse, CategoryNotFound,
    CategoryAmbiguous,
    ItemCodeTaken, BarcodeTaken, BarcodeOnTwoUnits,
    PackBarcodeIsCode, PackIsStockUnit, PackSizeContradicts,
    UnknownUnit, PriceForbidden, AttributesInvalid, Frozen.
    """
    changes_units = not UNIT_FIELDS.isdisjoint(wanted.model_fields_set)
    is_recounted = changes_units or wanted.tracking is not None
    await freezes.require_thawed(session, alone=is_recounted)
    category_id = await _find_category_id(session, wanted, now)
    item = await lock_item(session, item_id, against_movements=is_recounted)
    require_match(if_match, item.version)
    if not wanted.model_fields_set:
        return item
    if "category" not in wanted.model_fields_set:
        category_id = item.category_id
    if not {"category", "attributes"}.isdisjoint(wanted.model_fields_set):
        attributes = merged(item.attributes, wanted.attributes or {})
        await require_fit(session, category_id, attributes)
        item.category_id, item.attributes = category_id, attributes
    if wanted.code is not None:
        item.code = wanted.code
    await _require_unmoved(session, item, wanted.unit, wanted.tracking)
    item.tracking = wanted.tracking or item.tracking
    if changes_units:
        set_units(item, changed_units(item, wanted))
    _change_texts(item, wanted)
    _change_planning(item, wanted)
    if wanted.active is not None:
        item.active = wanted.active
    await _write(session, item)
    labels = await name_item(session, item, code=wanted.code, barcodes=wanted.barcodes)
    _set_prices(session, sealer, item, wanted, caller)
    _renew(item, now)
    await _finish(session, item, labels, changed=sorted(wanted.model_fields_set))
    return item


async def retire_item(
    session: AsyncSession, item_id: UUID, if_match: str | None, *, now: datetime
) -> None:
    """Retire an item that has no stock, and that no active kit is made of.

    Raises ItemNotFound, PreconditionFailed, ItemInStock, ItemInKits, Frozen.
    """
    await freezes.require_thawed(session, alone=True)
    item = await lock_item(session, item_id, against_movements=True)
    require_match(if_match, item.version)
    total = await queries.total_stock(session, item_id)
    if total.on_hand:
        raise ItemInStock(on_hand=total.on_hand)
    kits = await queries.list_kits_of(session, item_id, most=KITS_NAMED)
    if kits:
        raise ItemInKits(item=item.code, kits=list(kits))
    if item.active:
        item.active = False
        _renew(item, now)
        labels = await queries.list_labels(session, item.id)
        await _finish(session, item, labels, changed=["active"])


async def lock_item(session: AsyncSession, item_id: UUID, *, against_movements: bool) -> Item:
    """Return the item, held against other edits, or against movements too.

    Raises ItemNotFound, Frozen.
    """
    item = await queries.lock_item(session, item_id, against_movements=against_movements)
    if item is None:
        raise ItemNotFound(item=str(item_id))
    await freezes.require_not_frozen(session, item.frozen_by)
    return item


async def _require_unmoved(
    session: AsyncSession, item: Item, unit: str | None, tracking: str | None
) -> None:
    """Raise ItemUnitInUse or ItemTrackingInUse where these would change under what was recorded."""
    recounts, retracks = unit not in {None, item.unit}, tracking not in {None, item.tracking}
    if not (recounts or retracks) or not await queries.has_moved(session, item.id):
        return
    if recounts:
        raise ItemUnitInUse(item=item.code, unit=item.unit)
    raise ItemTrackingInUse(item=item.code, tracking=item.tracking)


async def _find_category_id(
    session: AsyncSession, wanted: ItemCreate | ItemUpdate, now: datetime
) -> UUID | None:
    """Return the category that is named, and keep all of them as they are.

    Before the item is locked: whoever renames a category, or changes its schema, locks so too. An
    item whose category stays needs it as well: written twice, it has that checked again.
    """
    await hold_tree(session)
    if wanted.category is None:
        return None
    return (await get_or_add_category(session, wanted.category, now=now)).id


def _fill(item: Item, wanted: ItemCreate) -> None:
    """Set all that a new item is told, but for its category, its barcodes and its prices."""
    description = wanted.description or LocalisedText()
    item.code = wanted.code
    item.name_en, item.name_fr = wanted.name.en, wanted.name.fr
    item.description_en, item.description_fr = description.en, description.fr
    set_units(item, new_units(wanted))
    item.tracking = wanted.tracking
    item.par_level = wanted.par_level
    item.reorder_point, item.reorder_quantity = wanted.reorder_point, wanted.reorder_quantity
    item.maximum = wanted.maximum
    item.lead_time_days = wanted.lead_time_days
    item.attributes = merged({}, wanted.attributes)


def _change_texts(item: Item, wanted: ItemUpdate) -> None:
    """Set the texts given, each language by itself."""
    given = wanted.model_fields_set
    if wanted.name is not None:
        item.name_en, item.name_fr = _in_place(item.name_en, item.name_fr, wanted.name)
    if "description" in given:
        item.description_en, item.description_fr = (
            _in_place(item.description_en, item.description_fr, wanted.description)
            if wanted.description is not None
            else (None, None)
        )


def _change_planning(item: Item, wanted: ItemUpdate) -> None:
    given = wanted.model_fields_set
    if "par_level" in given:
        item.par_level = wanted.par_level
    if "reorder_point" in given:
        item.reorder_point = wanted.reorder_point
    if "reorder_quantity" in given:
        item.reorder_quantity = wanted.reorder_quantity
    if "maximum" in given:
        item.maximum = wanted.maximum
    if "lead_time_days" in given:
        item.lead_time_days = wanted.lead_time_days


def _in_place(
    english: str | None, french: str | None, wanted: LocalisedName | LocalisedText
) -> tuple[str | None, str | None]:
    """Return both languages after a change: the ones given are set, the others stay."""
    given = wanted.model_fields_set
    return wanted.en if "en" in given else english, wanted.fr if "fr" in given else french


async def _write(session: AsyncSession, item: Item) -> None:
    """Write the item now, since what names it refers to its row."""
    broken = {
        "items_code": ItemCodeTaken(asked=item.code, item=item.code),
        "items_in_category": CategoryNotFound(category=str(item.category_id)),
    }
    with conflicts(broken):
        await session.flush()


def _set_prices(
    session: AsyncSession,
    sealer: Sealer,
    item: Item,
    wanted: ItemCreate | ItemUpdate,
    caller: Principal,
) -> None:
    """Put the cost and price given in force; one that is not given stays."""
    if wanted.unit_cost is not None:
        cost = wanted.unit_cost
        item.cost_id = prices.set_price(session, sealer, item.id, "cost", cost, caller=caller)
    if wanted.price is not None:
        price = wanted.price
        item.price_id = prices.set_price(session, sealer, item.id, "price", price, caller=caller)


def _renew(item: Item, now: datetime) -> None:
    item.version += 1
    item.updated_at = now


async def _finish(
    session: AsyncSession, item: Item, labels: dict[str, Label], *, changed: list[str]
) -> None:
    """Write down how the item stands now: for searches and in the journal."""
    barcodes = barcodes_of(labels.values())
    category = await category_of(session, item)
    item.search_text = search_text(
        item.code,
        (item.name_en, item.name_fr),
        search_words(category) if category else "",
        (item.description_en, item.description_fr),
    )
    journal.record(
        session,
        ItemSaved(
            item_id=item.id,
            code=item.code,
            name_en=said_in("en", item.name_en, item.name_fr),
            name_fr=said_in("fr", item.name_en, item.name_fr),
            barcodes=barcodes,
            category=name_of(category, "en") if category else None,
            category_id=item.category_id,
            unit=item.unit,
            tracking=item.tracking,
            packs=packs_saved(units_of(item), labels.values()),
            pack_size=item.pack_size,
            pack_unit=item.pack_unit,
            par_level=item.par_level,
            reorder_point=item.reorder_point,
            reorder_quantity=item.reorder_quantity,
            maximum=item.maximum,
            lead_time_days=item.lead_time_days,
            attributes=item.attributes,
            cost_id=item.cost_id,
            active=item.active,
            changed=changed,
        ),
    )
