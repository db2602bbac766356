from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import KnownInFuture, NotSettledYet
from services.inventory.locations.errors import LocationNotFound
from services.inventory.stock import service
from services.inventory.stock.schemas import (
    ItemStockRead,
    LocatedItemPage,
    LocatedItemQuery,
    LookupRead,
    LookupRequest,
    LookupResults,
)
from shared.db import Database
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.schemas import Moment, ShortText
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.requests import get_database

router = feature_router("/api", "stock")

CanRead = Annotated[Principal, Depends(requires("inventory:read"))]
Hot = Annotated[Database, Depends(get_database)]
CODE_DESCRIPTION = "Code, barcode or id. A text in the form of a UUID is an id, any other is not."


@router.get("/inventory/lookup", responses=problems(ItemNotFound))
async def look_up(
    database: Hot,
    code: Annotated[ShortText, Query(description=CODE_DESCRIPTION)],
    caller: CanRead,
    language: Language,
) -> LookupRead:
    """Find an item by any code or barcode, slashes and all, with its stock at each location."""
    return await service.look_up(database, caller.tenant_id, code, language)


@router.post("/inventory/lookup")
async def look_up_all(
    database: Hot, body: LookupRequest, caller: CanRead, language: Language
) -> LookupResults:
    """Find up to 200 items at once by their codes or barcodes; each has a result of its own."""
    return await service.look_up_all(database, caller.tenant_id, body.codes, language)


@router.get("/inventory/lookup/{code}", name="look_up_in_path", responses=problems(ItemNotFound))
async def look_up_in_path(
    database: Hot,
    code: Annotated[ShortText, Path(description=CODE_DESCRIPTION)],
    caller: CanRead,
    language: Language,
) -> LookupRead:
    """Find an item by a code or barcode that fits into a path, with its stock at each location."""
    return await service.look_up(database, caller.tenant_id, code, language)


@router.get(
    "/inventory/{item_id:uuid}/stock",
    responses=problems(ItemNotFound, KnownInFuture, NotSettledYet),
)
async def stock_of(
    item_id: UUID,
    session: Session,
    _caller: CanRead,
    now: Now,
    as_of: Annotated[Moment | None, Query(description="When it lay there; now.")] = None,
    known_at: Annotated[
        Moment | None,
        Query(description="As recorded by then: the same answer for ever; all that is recorded."),
    ] = None,
) -> ItemStockRead:
    """Tell what lay of an item at each location at any past moment."""
    return await service.stock_of(session, item_id, as_of=as_of, known_at=known_at, now=now)


@router.get("/locations/{name}/inventory", responses=problems(LocationNotFound, InvalidCursor))
async def list_at_location(
    name: Annotated[ShortText, Path(description="Name or id of the location.")],
    session: Session,
    _caller: CanRead,
    language: Language,
    query: Annotated[LocatedItemQuery, Query()],
) -> LocatedItemPage:
    """List what lies at a location."""
    return await service.list_at_location(session, name, query, language=language)
