from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from services.inventory.categories.errors import CategoryAmbiguous, CategoryNotFound
from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import KnownInFuture, NotSettledYet
from services.inventory.locations.errors import LocationNotFound
from services.inventory.openings.errors import MovementsArchived
from services.inventory.stock import service
from services.inventory.stock.schemas import (
    ItemStockQuery,
    ItemStockRead,
    LocatedItemPage,
    LocatedItemQuery,
    LookupRead,
    LookupRequest,
    LookupResults,
    StockQuery,
)
from shared.db import Database
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.schemas import ShortText
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.requests import get_database

router = feature_router("/api", "stock")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
Hot = Annotated[Database, Depends(get_database)]
CODE_DESCRIPTION = "Code, barcode or id. A text in the form of a UUID is an id, any other is not."


@router.get("/inventory/lookup", responses=problems(ItemNotFound))
async def look_up_item(
    database: Hot,
    code: Annotated[ShortText, Query(description=CODE_DESCRIPTION)],
    caller: CanRead,
    language: Language,
) -> LookupRead:
    """Look up an item by any code.

    Takes any code or barcode, slashes and all; answers with the stock at each location.
    """
    return await service.look_up(database, code, caller=caller, language=language)


@router.post("/inventory/lookup")
async def look_up_items(
    database: Hot, body: LookupRequest, caller: CanRead, language: Language
) -> LookupResults:
    """Look up several items.

    Up to 200 at once, by their codes or barcodes; each has a result of its own.
    """
    return await service.look_up_all(database, body.codes, caller=caller, language=language)


@router.get("/inventory/lookup/{code}", name="look_up_in_path", responses=problems(ItemNotFound))
async def look_up_in_path(
    database: Hot,
    code: Annotated[ShortText, Path(description=CODE_DESCRIPTION)],
    caller: CanRead,
    language: Language,
) -> LookupRead:
    """Look up an item by a code in the path.

    For a code or barcode without a slash; answers with the stock at each location.
    """
    return await service.look_up(database, code, caller=caller, language=language)


@router.get(
    "/inventory/{item_id:uuid}/stock",
    responses=problems(ItemNotFound, KnownInFuture, NotSettledYet, MovementsArchived),
)
async def get_item_stock(
    item_id: UUID,
    session: Session,
    caller: CanRead,
    now: Now,
    query: Annotated[ItemStockQuery, Query()],
) -> ItemStockRead:
    """Read the stock of an item.

    What lies, or lay at any past moment, at each location.
    """
    return await service.stock_of(session, item_id, query, caller=caller, now=now)


@router.get(
    "/inventory/stock",
    responses=problems(
        LocationNotFound,
        CategoryNotFound,
        CategoryAmbiguous,
        KnownInFuture,
        NotSettledYet,
        MovementsArchived,
        InvalidCursor,
    ),
)
async def list_stock(
    session: Session,
    caller: CanRead,
    language: Language,
    now: Now,
    query: Annotated[StockQuery, Query()],
) -> LocatedItemPage:
    """List the stock.

    Of all items that lie, or lay at any past moment, somewhere, in the order of their codes.
    """
    return await service.list_stock(session, query, caller=caller, language=language, now=now)


@router.get(
    "/locations/{name}/inventory",
    responses=problems(
        LocationNotFound, KnownInFuture, NotSettledYet, MovementsArchived, InvalidCursor
    ),
)
async def list_location_stock(
    name: Annotated[ShortText, Path(description="Name or id of the location.")],
    session: Session,
    caller: CanRead,
    language: Language,
    now: Now,
    query: Annotated[LocatedItemQuery, Query()],
) -> LocatedItemPage:
    """List the stock at a location.

    What lies, or lay at any past moment, there, item by item in the order of their codes; with
    `recursive` all that is inside it too.
    """
    return await service.list_at_location(
        session, name, query, caller=caller, language=language, now=now
    )
