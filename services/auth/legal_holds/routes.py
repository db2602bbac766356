from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.legal_holds import service
from services.auth.legal_holds.errors import (
    AnotherMustApprove,
    LegalHoldLifted,
    LegalHoldNotFound,
    LiftNotAsked,
    LiftPending,
)
from services.auth.legal_holds.schemas import (
    LegalHoldCreate,
    LegalHoldPage,
    LegalHoldRead,
    LiftAsk,
)
from shared.db import Database
from shared.journal.holds import ActiveHolds
from shared.pagination import InvalidCursor, PageQuery
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.requests import get_database
from shared.web.route import SmallRoute

router = feature_router("/api/legal-holds", "legal-holds", route_class=SmallRoute)
internal_router = service_router("legal-holds")

CanSee = Annotated[Principal, Depends(requires("audit:read"))]
CanHold = Annotated[Principal, Depends(requires("ops:write", fresh=True))]
CanReadHolds = Annotated[ServiceCaller, Depends(service_scope("holds:read"))]


@router.get("", responses=problems(InvalidCursor))
async def list_legal_holds(
    asked: Annotated[PageQuery, Query()], session: Session, _caller: CanSee
) -> LegalHoldPage:
    """List the legal holds.

    Of your tenant, those that were lifted too, the oldest first.
    """
    return await service.list_holds(session, asked)


@router.post("", status_code=201)
async def place_legal_hold(
    body: LegalHoldCreate, session: Session, caller: CanHold, now: Now
) -> LegalHoldRead:
    """Place a legal hold.

    Nothing that it describes is removed by retention, whatever its age, until two administrators
    have lifted it.
    """
    return service.to_read(await service.place_hold(session, body, caller=caller, now=now))


@router.post("/{hold_id}/lift", responses=problems(LegalHoldNotFound, LegalHoldLifted, LiftPending))
async def ask_to_lift_legal_hold(
    hold_id: UUID, body: LiftAsk, session: Session, caller: CanHold, now: Now
) -> LegalHoldRead:
    """Ask to lift a legal hold.

    It stays in force until another administrator approves.
    """
    hold = await service.ask_to_lift(session, hold_id, body, caller=caller, now=now)
    return service.to_read(hold)


@router.post(
    "/{hold_id}/lift/approve",
    responses=problems(LegalHoldNotFound, LegalHoldLifted, LiftNotAsked, AnotherMustApprove),
)
async def approve_lift_of_legal_hold(
    hold_id: UUID, session: Session, caller: CanHold, now: Now
) -> LegalHoldRead:
    """Approve that a legal hold is lifted.

    By another administrator than who asked. What it kept goes by policy again.
    """
    return service.to_read(await service.approve_lift(session, hold_id, caller=caller, now=now))


@router.delete(
    "/{hold_id}/lift",
    status_code=204,
    responses=problems(LegalHoldNotFound, LegalHoldLifted, LiftNotAsked),
)
async def end_lift_of_legal_hold(hold_id: UUID, session: Session, caller: CanHold) -> None:
    """Keep a legal hold after all.

    Withdraws your own wish to lift it, declines another's.
    """
    await service.end_lift(session, hold_id, caller=caller)


@internal_router.get("")
async def list_active_legal_holds(
    _caller: CanReadHolds, database: Annotated[Database, Depends(get_database)]
) -> ActiveHolds:
    """What is held of any tenant, for those who would remove it."""
    async with AsyncSession(database.engine) as session:
        return ActiveHolds(holds=tuple(await service.list_active(session)))
