from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.inventory.periods import service
from services.inventory.periods.errors import (
    PeriodCovered,
    PeriodNotFound,
    PeriodNotLast,
    PeriodNotOver,
)
from services.inventory.periods.schemas import (
    PeriodClose,
    PeriodPage,
    PeriodQuery,
    PeriodRead,
    PeriodReopen,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires

router = feature_router("/api/inventory/periods", "periods")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanClose = Annotated[Principal, Depends(requires("ops:write", fresh=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_periods(
    session: Session, _caller: CanRead, query: Annotated[PeriodQuery, Query()]
) -> PeriodPage:
    """List periods.

    The latest first, so the first of the closed ones says from when on movements may be dated.
    """
    return await service.list_periods(session, query)


@router.post("", status_code=201, responses=problems(PeriodNotOver, PeriodCovered))
async def close_period(
    body: PeriodClose, session: Session, caller: CanClose, now: Now
) -> PeriodRead:
    """Close a period.

    All days until the one given, by UTC. From the answer on nothing is recorded that happened in
    them (409 `period_closed`), also what waited meanwhile: no movement, count or reversal. It goes
    on beside freezes.
    """
    return service.to_read(await service.close_period(session, body, caller=caller, now=now))


@router.post("/{period_id:uuid}/reopen", responses=problems(PeriodNotFound, PeriodNotLast))
async def reopen_period(
    period_id: UUID, body: PeriodReopen, session: Session, caller: CanClose, now: Now
) -> PeriodRead:
    """Reopen a period.

    The latest that is closed; that it was stays on record.
    """
    period = await service.reopen_period(session, period_id, body, caller=caller, now=now)
    return service.to_read(period)
