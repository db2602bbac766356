from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.inventory.freezes import service
from services.inventory.freezes.errors import AlreadyFrozen, FreezeNotFound, NothingToFreeze
from services.inventory.freezes.schemas import FreezeCreate, FreezePage, FreezeQuery, FreezeRead
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.schemas import ShortText
from shared.web import Now, Session, feature_router, problems, requires

router = feature_router("/api/inventory/freezes", "freezes")

CanList = Annotated[Principal, Depends(requires("ops:write"))]
CanFreeze = Annotated[Principal, Depends(requires("ops:write", fresh=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_freezes(
    session: Session, _caller: CanList, query: Annotated[FreezeQuery, Query()]
) -> FreezePage:
    """List freezes.

    Newest first; those in force unless asked otherwise.
    """
    return await service.list_freezes(session, query)


@router.get("/{freeze_id:uuid}", responses=problems(FreezeNotFound))
async def get_freeze(freeze_id: UUID, session: Session, _caller: CanList) -> FreezeRead:
    """Show a freeze.

    What it covers, why, since when and by whom; also once it is lifted.
    """
    return await service.get_freeze(session, freeze_id)


@router.post("", status_code=201, responses=problems(NothingToFreeze, AlreadyFrozen))
async def add_freeze(
    body: FreezeCreate, session: Session, caller: CanFreeze, now: Now
) -> FreezeRead:
    """Freeze stock.

    Everything, a location with all that lies in it, or an item. From the answer on every change of
    what it covers is refused (423) with the reason, also what waited meanwhile; reads go on. A
    location that is added or moved into a frozen one is frozen too. A freeze of everything stops
    changes of items, locations and categories as well; that of an item or location, changes of it.
    """
    return await service.add_freeze(session, body, caller=caller, now=now)


@router.delete("/{freeze_id:uuid}", status_code=204, responses=problems(FreezeNotFound))
async def lift_freeze(
    freeze_id: UUID,
    session: Session,
    caller: CanFreeze,
    now: Now,
    note: Annotated[ShortText | None, Query(description="What to keep of it.")] = None,
) -> None:
    """Lift a freeze.

    What another freeze covers stays frozen. The lifted one stays on record.
    """
    await service.lift_freeze(session, freeze_id, note=note, caller=caller, now=now)
