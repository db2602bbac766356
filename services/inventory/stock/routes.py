from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request

from services.inventory.errors import ItemNotFound, LocationNotFound
from services.inventory.stock import service
from services.inventory.stock.schemas import ItemStockRead, LocatedItemPage, LookupRead
from shared.pagination import LIMIT_DEFAULT, Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.schemas import Moment, ShortText
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.requests import get_resources

router = feature_router("/api", "stock")

CanRead = Annotated[Principal, Depends(requires("inventory:read"))]


@router.get("/inventory/lookup/{code}", responses=problems(ItemNotFound))
async def look_up(
    request: Request,
    code: Annotated[ShortText, Path(description="Code or barcode.")],
    caller: CanRead,
    language: Language,
) -> LookupRead:
    """Find an item by its code or barcode, with its stock at each location."""
    database = get_resources(request).database
    return await service.look_up(database, caller.tenant_id, code, language)


@router.get("/inventory/{item_id}/stock", responses=problems(ItemNotFound))
async def stock_of(
    item_id: UUID, session: Session, _caller: CanRead, now: Now, as_of: Moment | None = None
) -> ItemStockRead:
    """Tell what lay of an item at each location at any past moment; now unless given."""
    return await service.stock_of(session, item_id, as_of or now)


@router.get("/locations/{name}/inventory", responses=problems(LocationNotFound, InvalidCursor))
async def list_at_location(
    name: Annotated[ShortText, Path(description="Name of the location.")],
    session: Session,
    _caller: CanRead,
    language: Language,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> LocatedItemPage:
    """List what lies at a location."""
    return await service.list_at_location(
        session, name, cursor=cursor, limit=limit, language=language
    )
