from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.inventory.attributes.errors import AttributesInvalid
from services.inventory.categories.errors import CategoryAmbiguous, CategoryNotFound
from services.inventory.freezes.errors import Frozen
from services.inventory.items import service
from services.inventory.items.errors import (
    BarcodeOnTwoUnits,
    BarcodeTaken,
    ItemCodeTaken,
    ItemInKits,
    ItemInStock,
    ItemNotFound,
    ItemTrackingInUse,
    ItemUnitInUse,
    PackBarcodeIsCode,
    PackIsStockUnit,
    PackSizeContradicts,
    UnknownUnit,
)
from services.inventory.items.schemas import (
    ItemCreate,
    ItemPage,
    ItemQuery,
    ItemRead,
    ItemUpdate,
    SearchQuery,
)
from services.inventory.prices.errors import PriceForbidden
from services.inventory.requests import PriceSealer
from shared.db import Database
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.answers import json_answer
from shared.web.etag import IfMatch
from shared.web.requests import get_database, get_resources, language_of
from shared.web.route import DirectRoute

router = feature_router("/api/inventory", "items")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
Hot = Annotated[Database, Depends(get_database)]
CanWrite = Annotated[Principal, Depends(requires("inventory:write"))]
# What may be wrong with what a body says of an item.
OF_A_BODY = (
    CategoryNotFound, CategoryAmbiguous, ItemCodeTaken, BarcodeTaken, BarcodeOnTwoUnits,
    PackBarcodeIsCode, PackIsStockUnit, PackSizeContradicts, UnknownUnit, AttributesInvalid,
    PriceForbidden, Frozen,
)  # fmt: skip


async def list_items(
    request: Request, caller: CanRead, query: Annotated[ItemQuery, Query()]
) -> Response:
    """List items.

    With their stock over all locations, in the order of their codes.
    """
    database, language = get_resources(request).database, language_of(request)
    return json_answer(await service.list_items(database, query, caller=caller, language=language))


router.add_api_route(
    "",
    list_items,
    methods=["GET"],
    route_class_override=DirectRoute,
    response_model=ItemPage,
    responses=problems(InvalidCursor),
)


@router.post(
    "/add-item",
    status_code=201,
    responses=problems(*OF_A_BODY),
)
@router.post(
    "",
    status_code=201,
    name="create_item",
    summary="Create an item",
    description="The way for new programs; `POST /api/inventory/add-item` is the same.",
    responses=problems(*OF_A_BODY),
)
async def add_item(
    body: ItemCreate,
    session: Session,
    caller: CanWrite,
    sealer: PriceSealer,
    now: Now,
    language: Language,
) -> ItemRead:
    """Add an item, the earlier way.

    For programs that know this address. New ones use `POST /api/inventory`, which is the same.
    """
    item = await service.add_item(session, sealer, body, caller=caller, now=now)
    return await service.to_read(session, sealer, item, caller=caller, language=language)


@router.get("/search", response_model=ItemPage)
async def search_items(
    database: Hot,
    caller: CanRead,
    language: Language,
    query: Annotated[SearchQuery, Query()],
) -> Response:
    """Search items.

    By what they are roughly called; case, accents, ligatures and typos are forgiven. The item whose
    code or barcode it is exactly is the first.
    """
    page = await service.search_items(database, query, caller=caller, language=language)
    return json_answer(page)


@router.get("/{item_id:uuid}", responses=problems(ItemNotFound))
async def get_item(
    item_id: UUID,
    session: Session,
    caller: CanRead,
    sealer: PriceSealer,
    language: Language,
) -> ItemRead:
    """Read an item."""
    item = await service.get_item(session, item_id)
    return await service.to_read(session, sealer, item, caller=caller, language=language)


@router.put(
    "/{item_id:uuid}",
    responses=problems(ItemNotFound, ItemUnitInUse, ItemTrackingInUse, *OF_A_BODY),
)
async def replace_item(
    item_id: UUID,
    body: ItemCreate,
    session: Session,
    caller: CanWrite,
    sealer: PriceSealer,
    now: Now,
    language: Language,
    if_match: IfMatch = None,
) -> ItemRead:
    """Replace an item.

    It becomes what the body says, its code too; what is left out is as for a new item. Only a cost
    or price that is left out stays, and a retired item stays retired.
    """
    item = await service.replace_item(
        session, sealer, item_id, body, if_match, caller=caller, now=now
    )
    return await service.to_read(session, sealer, item, caller=caller, language=language)


@router.patch(
    "/{item_id:uuid}",
    responses=problems(ItemNotFound, ItemUnitInUse, ItemTrackingInUse, *OF_A_BODY),
)
async def change_item(
    item_id: UUID,
    body: ItemUpdate,
    session: Session,
    caller: CanWrite,
    sealer: PriceSealer,
    now: Now,
    language: Language,
    if_match: IfMatch = None,
) -> ItemRead:
    """Change an item.

    The fields given change, and of texts the languages given; all others stay.
    """
    item = await service.change_item(
        session, sealer, item_id, body, if_match, caller=caller, now=now
    )
    return await service.to_read(session, sealer, item, caller=caller, language=language)


@router.delete(
    "/{item_id:uuid}",
    status_code=204,
    responses=problems(ItemNotFound, ItemInStock, ItemInKits, Frozen),
)
async def retire_item(
    item_id: UUID, session: Session, _caller: CanWrite, now: Now, if_match: IfMatch = None
) -> None:
    """Retire an item.

    It must have no stock left, and be a component of no active kit; its history stays.
    """
    await service.retire_item(session, item_id, if_match, now=now)
