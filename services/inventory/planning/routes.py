from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound
from services.inventory.locations.errors import LocationNotFound
from services.inventory.planning import service
from services.inventory.planning.errors import PlanningNotFound
from services.inventory.planning.schemas import (
    ItemPromise,
    LowStockPage,
    LowStockQuery,
    PlanningCreate,
    PlanningPage,
    PlanningQuery,
    PlanningRead,
    PromiseQuery,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch

router = feature_router("/api/inventory", "items")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanWrite = Annotated[Principal, Depends(requires("inventory:write"))]


@router.get("/low-stock", responses=problems(LocationNotFound, InvalidCursor))
async def list_low_stock(
    session: Session,
    caller: CanRead,
    language: Language,
    now: Now,
    query: Annotated[LowStockQuery, Query()],
) -> LowStockPage:
    """List items low in stock.

    Those whose available stock has come down to their reorder point, or below their par level: over
    all locations, or at one by the values that hold there. With each: how long it lasts if it goes
    on being used as it was, what is expected before, and how much to order.
    """
    return await service.list_low_stock(session, query, caller=caller, language=language, now=now)


@router.get("/{item_id:uuid}/promise", responses=problems(ItemNotFound, LocationNotFound))
async def get_item_promise(
    item_id: UUID,
    session: Session,
    caller: CanRead,
    now: Now,
    query: Annotated[PromiseQuery, Query()],
) -> ItemPromise:
    """Read what may be promised of an item.

    What is available to promise now and at each later time at which that changes, by what lies
    there and by transfers under way with a time at which they are expected; in all, and location by
    location. Of a kit this counts what is assembled: how many more could be, its `availability`
    tells.
    """
    return await service.get_promise(session, item_id, query, caller=caller, now=now)


@router.get("/{item_id:uuid}/planning", responses=problems(ItemNotFound, InvalidCursor))
async def list_planning(
    item_id: UUID, session: Session, caller: CanRead, query: Annotated[PlanningQuery, Query()]
) -> PlanningPage:
    """List an item's values by location.

    Par level, reorder point and quantity and maximum of its own at single locations.
    """
    return await service.list_planning(session, item_id, query, caller=caller)


@router.get(
    "/{item_id:uuid}/planning/{location_id:uuid}",
    responses=problems(ItemNotFound, LocationNotFound, PlanningNotFound),
)
async def get_planning(
    item_id: UUID, location_id: UUID, session: Session, caller: CanRead
) -> PlanningRead:
    """Read an item's values at a location."""
    return await service.get_planning(session, item_id, location_id, caller=caller)


@router.put(
    "/{item_id:uuid}/planning/{location_id:uuid}",
    responses=problems(ItemNotFound, LocationNotFound, Frozen),
)
async def put_planning(
    item_id: UUID,
    location_id: UUID,
    body: PlanningCreate,
    session: Session,
    _caller: CanWrite,
    now: Now,
    if_match: IfMatch = None,
) -> PlanningRead:
    """Set an item's values at a location.

    They hold there, with what lies in it, in place of the item's own; what is left out is as the
    item says.
    """
    return await service.put_planning(session, item_id, location_id, body, if_match, now=now)


@router.delete(
    "/{item_id:uuid}/planning/{location_id:uuid}",
    status_code=204,
    responses=problems(ItemNotFound, PlanningNotFound, LocationNotFound, Frozen),
)
async def remove_planning(
    item_id: UUID,
    location_id: UUID,
    session: Session,
    _caller: CanWrite,
    if_match: IfMatch = None,
) -> None:
    """Remove an item's values at a location.

    Those of the item hold there again.
    """
    await service.remove_planning(session, item_id, location_id, if_match)
