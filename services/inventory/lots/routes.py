from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import LotNotFound
from services.inventory.lots import service
from services.inventory.lots.schemas import (
    LotPage,
    LotQuery,
    LotRead,
    LotUpdate,
    TracePage,
    TraceQuery,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.schemas import ShortText
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch

router = feature_router("/api/inventory", "lots")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanWrite = Annotated[Principal, Depends(requires("inventory:write"))]


@router.get("/{item_id:uuid}/lots", responses=problems(ItemNotFound, InvalidCursor))
async def list_lots(
    item_id: UUID,
    session: Session,
    caller: CanRead,
    now: Now,
    query: Annotated[LotQuery, Query()],
) -> LotPage:
    """List an item's lots.

    What expires first comes first, as it goes out; each with where it lies.
    """
    return await service.list_lots(session, item_id, query, caller=caller, now=now)


@router.patch(
    "/{item_id:uuid}/lots/{lot_id:uuid}", responses=problems(ItemNotFound, LotNotFound, Frozen)
)
async def change_lot(
    item_id: UUID,
    lot_id: UUID,
    body: LotUpdate,
    session: Session,
    _caller: CanWrite,
    now: Now,
    if_match: IfMatch = None,
) -> LotRead:
    """Correct a lot.

    Its expiry, where the first receipt said it wrongly or not at all.
    """
    return await service.change_lot(session, item_id, lot_id, body, if_match, now=now)


@router.get("/lots/{lot}/trace", responses=problems(LotNotFound, InvalidCursor))
async def trace_lot(
    lot: Annotated[ShortText, Path(description="Code of the lot.")],
    session: Session,
    caller: CanRead,
    query: Annotated[TraceQuery, Query()],
) -> TracePage:
    """Trace a lot.

    Where it came from and where it went, newest first: every change of it at a location, with its
    reference, who recorded it and when.

    It goes on through kits: what an assembly made of the lot, and what came out of a kit that was
    taken apart, is traced with it, both ways and through kits of kits, by their lots and serials.
    What was undone ties nothing. A kit that several lots went into is traced whole: which unit is
    of which lot is not known.
    """
    return await service.trace_lot(session, lot, query, caller=caller)
