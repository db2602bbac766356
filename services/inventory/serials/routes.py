from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from services.inventory.items.errors import ItemNotFound
from services.inventory.locations.errors import LocationNotFound
from services.inventory.serials import service
from services.inventory.serials.errors import SerialNotFound
from services.inventory.serials.schemas import (
    SerialHistory,
    SerialHistoryQuery,
    SerialPage,
    SerialQuery,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.schemas import ShortText
from shared.web import Session, feature_router, problems, requires

router = feature_router("/api/inventory", "serials")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]


@router.get("/serials/{serial}", responses=problems(SerialNotFound, InvalidCursor))
async def get_serial_history(
    serial: Annotated[ShortText, Path(description="The serial number.")],
    session: Session,
    caller: CanRead,
    query: Annotated[SerialHistoryQuery, Query()],
) -> SerialHistory:
    """Read the history of a serial number.

    Where its unit lies, of each item that has such a serial, and every movement of it in the order
    of their times: from where to where, by whom, with which reference.
    """
    return await service.get_history(session, serial, query, caller=caller)


@router.get(
    "/{item_id:uuid}/serials", responses=problems(ItemNotFound, LocationNotFound, InvalidCursor)
)
async def list_serials(
    item_id: UUID, session: Session, caller: CanRead, query: Annotated[SerialQuery, Query()]
) -> SerialPage:
    """List the serial numbers of an item.

    In their order, each with where its unit lies.
    """
    return await service.list_serials(session, item_id, query, caller=caller)
