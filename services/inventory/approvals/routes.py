from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.inventory.approvals import service
from services.inventory.approvals.errors import (
    ApprovalClosed,
    ApprovalExpired,
    ApprovalNotFound,
    ApprovalStale,
    NotYourApproval,
    OwnApproval,
)
from services.inventory.approvals.schemas import (
    ApprovalDetailRead,
    ApprovalLimitsRead,
    ApprovalLimitsUpdate,
    ApprovalPage,
    ApprovalQuery,
    ApprovalRead,
    ApprovalReject,
    ApprovalWithdraw,
)
from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemRetired, UnknownUnit
from services.inventory.ledger.errors import (
    AlreadyReversed,
    BalanceTooLarge,
    InsufficientStock,
    LotExpired,
    SerialsInStock,
    SerialsNotThere,
)
from services.inventory.locations.errors import LocationRetired
from services.inventory.openings.errors import DatedBeforeLedger, MovementsArchived
from services.inventory.periods.errors import InClosedPeriod
from services.inventory.requests import Executors, Policy, PriceSealer
from shared.errors import PreconditionFailed
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch
from shared.web.problems import problem_response
from shared.web.requests import request_id_of

router = feature_router("/api/inventory/approvals", "approvals")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanWithdraw = Annotated[Principal, Depends(requires("stock:write", by_location=True))]
CanDecide = Annotated[Principal, Depends(requires("price:approve", fresh=True, by_location=True))]
CanSeeLimits = Annotated[Principal, Depends(requires("price:approve"))]
CanSetLimits = Annotated[Principal, Depends(requires("ops:write", fresh=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_approvals(
    query: Annotated[ApprovalQuery, Query()],
    session: Session,
    caller: CanRead,
    sealer: PriceSealer,
    now: Now,
) -> ApprovalPage:
    """List approvals.

    Newest first. Who is limited to some locations sees those that are wholly in them; that of a
    transfer's difference belongs to the location where the transfer goes.
    """
    return await service.list_approvals(session, sealer, query, caller=caller, now=now)


@router.get("/limits")
async def get_approval_limits(
    session: Session, _caller: CanSeeLimits, policy: Policy
) -> ApprovalLimitsRead:
    """Show what may be changed alone.

    The value up to which each role needs no approval, of one call and of an item within a day: of
    write-offs, adjustments, count corrections, returns of what was not issued, receipts undone,
    and of what is gained or lost by kits.
    """
    return await service.get_limits(session, policy=policy)


@router.put("/limits", responses=problems(PreconditionFailed))
async def replace_approval_limits(
    body: ApprovalLimitsUpdate,
    session: Session,
    caller: CanSetLimits,
    policy: Policy,
    now: Now,
    if_match: IfMatch = None,
) -> ApprovalLimitsRead:
    """Set what may be changed alone.

    All roles at once; one that is not named has the installation's default. What waits already
    goes on waiting.
    """
    return await service.replace_limits(
        session, body, if_match=if_match, policy=policy, caller=caller, now=now
    )


@router.get("/{approval_id:uuid}", responses=problems(ApprovalNotFound))
async def get_approval(
    approval_id: UUID, session: Session, caller: CanRead, sealer: PriceSealer, now: Now
) -> ApprovalDetailRead:
    """Show an approval.

    With what it does to the stock of which items, where, and what lay there when it was asked for.
    """
    return await service.get_approval(session, sealer, approval_id, caller=caller, now=now)


@router.post(
    "/{approval_id:uuid}/approve",
    response_model=ApprovalRead,
    responses=problems(
        ApprovalNotFound, ApprovalClosed, ApprovalExpired, ApprovalStale, OwnApproval, ItemRetired,
        LocationRetired, InsufficientStock, BalanceTooLarge, Frozen, InClosedPeriod,
        MovementsArchived, DatedBeforeLedger, AlreadyReversed, UnknownUnit, LotExpired,
        SerialsInStock, SerialsNotThere,
    ),
)  # fmt: skip
async def approve_approval(
    approval_id: UUID,
    request: Request,
    session: Session,
    caller: CanDecide,
    sealer: PriceSealer,
    executors: Executors,
    now: Now,
) -> ApprovalRead | Response:
    """Give an approval.

    Does what was asked, once, under the name of who asked and with the time at which it was asked
    for. Whoever asked cannot approve it. Where stock was counted since, where another quantity
    would move, or where it is worth a tenth more by now, nothing is done and the approval is closed
    (409 `approval_stale`). Where the stock refuses, nothing is done and it stays open.
    """
    decision = await service.approve(
        session,
        sealer,
        executors,
        approval_id,
        caller=caller,
        request_id=request_id_of(request),
        now=now,
    )
    if decision.stale is not None:  # Answered, not raised: that it is stale is kept.
        return problem_response(request, decision.stale)
    return service.to_read(decision.approval, sealer, caller=caller, now=now)


@router.post(
    "/{approval_id:uuid}/reject",
    responses=problems(ApprovalNotFound, ApprovalClosed, ApprovalExpired, OwnApproval),
)
async def reject_approval(
    approval_id: UUID,
    body: ApprovalReject,
    session: Session,
    caller: CanDecide,
    sealer: PriceSealer,
    now: Now,
) -> ApprovalRead:
    """Reject an approval.

    Nothing is done. Whoever asked withdraws it instead.
    """
    approval = await service.reject(session, approval_id, body, caller=caller, now=now)
    return service.to_read(approval, sealer, caller=caller, now=now)


@router.post(
    "/{approval_id:uuid}/withdraw",
    responses=problems(ApprovalNotFound, ApprovalClosed, ApprovalExpired, NotYourApproval),
)
async def withdraw_approval(
    approval_id: UUID,
    body: ApprovalWithdraw,
    session: Session,
    caller: CanWithdraw,
    sealer: PriceSealer,
    now: Now,
) -> ApprovalRead:
    """Withdraw an approval.

    Whoever asked takes it back; nothing is done.
    """
    approval = await service.withdraw(session, approval_id, body, caller=caller, now=now)
    return service.to_read(approval, sealer, caller=caller, now=now)
