"""What becomes of an approval: somebody else agrees and it is done, or not."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import queries
from services.inventory.approvals.errors import (
    ApprovalClosed,
    ApprovalExpired,
    ApprovalStale,
    NotYourApproval,
    OwnApproval,
)
from services.inventory.approvals.models import Approval, ApprovalLine
from services.inventory.approvals.rules import (
    WINDOW,
    ApprovalState,
    AskedLine,
    StaleCause,
    has_moved,
    has_outgrown,
    hash_content,
    state_of,
    value_of,
)
from services.inventory.approvals.schemas import ApprovalReject, ApprovalWithdraw
from services.inventory.approvals.service.closing import close, close_lapsed, close_stale
from services.inventory.approvals.service.gating import find_costs, lines_of, loads_of
from services.inventory.approvals.service.reading import open_value, require_known
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import Change, Outcome
from services.inventory.locations.service import places_of
from shared.contracts.inventory.approvals import (
    ApprovalApproved,
    ApprovalRejected,
    ApprovalWithdrawn,
)
from shared.principal import Places, Principal
from shared.security.sealing import Sealer

DUE_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Approved:
    """What an executor is given: what was asked, by whom, and who agrees.

    `value` is what it was worth when it was asked for, None where no cost was known.
    """

    approval_id: UUID
    content: Mapping[str, Any]
    lines: Sequence[ApprovalLine]
    value: Decimal | None
    requested_by: str  # The actor, who is that of the movements too.
    opened_at: datetime
    approver: Principal
    request_id: str
    places: Places  # That the approver may know of.


# Does what an approval asks for, and returns the movements by which it did. ApprovalStale it raises
# before it has changed anything: that it is stale is kept.
Executor = Callable[[AsyncSession, Sealer, Approved], Awaitable[Sequence[UUID]]]


class Decision(NamedTuple):
    """An approval once somebody agreed: it was done, or it was found stale and closed."""

    approval: Approval
    stale: ApprovalStale | None = None


async def approve(
    session: AsyncSession,
    sealer: Sealer,
    executors: Mapping[str, Executor],
    approval_id: UUID,
    *,
    caller: Principal,
    request_id: str,
    now: datetime,
) -> Decision:
    """Do what somebody else asked for, once, if it still is what he asked for.

    Raises ApprovalNotFound, OwnApproval, ApprovalClosed, ApprovalExpired, and what the executor
    raises: then the approval stays open. What is stale is closed, and told with the decision.
    """
    approval = await _lock_open(session, approval_id, caller=caller, now=now)
    if approval.requester_id == caller.id:
        raise OwnApproval
    lines = await queries.list_lines(session, approval_id)
    approved = Approved(
        approval_id=approval_id,
        content=approval.content,
        lines=lines,
        value=open_value(approval, sealer, caller).amount,
        requested_by=approval.requested_by,
        opened_at=approval.opened_at,
        approver=caller,
        request_id=request_id,
        places=await places_of(session, caller),
    )
    try:
        _require_same_content(approval, lines)
        movements = await executors[approval.kind](session, sealer, approved)
    except ApprovalStale as stale:
        close_stale(session, approval, stale.cause, caller=caller, now=now)
        return Decision(approval, stale)
    approval.movements = list(movements)
    entry = ApprovalApproved(
        approval_id=approval.id,
        content_hash=approval.content_hash.hex(),
        requester_id=approval.requester_id,
        movements=approval.movements,
    )
    close(session, approval, ApprovalState.APPROVED, entry, caller=caller, now=now)
    return Decision(approval)


async def apply_approved(
    session: AsyncSession, sealer: Sealer, approved: Approved, changes: Sequence[Change]
) -> list[Outcome]:
    """Apply the changes that an approval asks for, all of them, if they are still what they were.

    They come in the order in which they were asked. Raises what `ledger.problem_of` returns;
    ApprovalStale where stock that they touch was counted since, where one would move another
    quantity, or where all are worth more by more than GROWTH_MAX.
    """
    foreseen = await ledger.foresee(session, changes, atomic=True)
    ledger.require_granted(foreseen)
    asked = _asked_lines(approved.lines)
    if has_moved(asked, lines_of(foreseen)):
        raise ApprovalStale(cause=StaleCause.QUANTITY)
    levels = [
        ((each.item_id, each.location_id, each.lot_id), each.occurred_at) for each in approved.lines
    ]
    if await ledger.is_counted(session, levels, since=approved.opened_at):
        raise ApprovalStale(cause=StaleCause.COUNTED)
    costs = await find_costs(session, sealer, foreseen, caller=approved.approver)
    if has_outgrown(value_of(loads_of(foreseen, costs)), approved.value):
        raise ApprovalStale(cause=StaleCause.VALUE)
    outcomes = await ledger.apply(session, changes, atomic=True)
    ledger.require_granted(outcomes)
    return outcomes


async def reject(
    session: AsyncSession,
    approval_id: UUID,
    wanted: ApprovalReject,
    *,
    caller: Principal,
    now: datetime,
) -> Approval:
    """Refuse what somebody else asked for.

    Raises ApprovalNotFound, OwnApproval, ApprovalClosed, ApprovalExpired.
    """
    approval = await _lock_open(session, approval_id, caller=caller, now=now)
    if approval.requester_id == caller.id:
        raise OwnApproval
    approval.note = wanted.reason
    entry = ApprovalRejected(
        approval_id=approval.id, requester_id=approval.requester_id, note=wanted.reason
    )
    close(session, approval, ApprovalState.REJECTED, entry, caller=caller, now=now)
    return approval


async def withdraw(
    session: AsyncSession,
    approval_id: UUID,
    wanted: ApprovalWithdraw,
    *,
    caller: Principal,
    now: datetime,
) -> Approval:
    """Take back what one asked for.

    Raises ApprovalNotFound, NotYourApproval, ApprovalClosed, ApprovalExpired.
    """
    approval = await _lock_open(session, approval_id, caller=caller, now=now)
    if approval.requester_id != caller.id:
        raise NotYourApproval
    approval.note = wanted.reason
    entry = ApprovalWithdrawn(approval_id=approval.id, note=wanted.reason)
    close(session, approval, ApprovalState.WITHDRAWN, entry, caller=caller, now=now)
    return approval


async def list_due_tenants(session: AsyncSession, *, now: datetime) -> Sequence[UUID]:
    """Return the tenants in which an approval is open whose time is over."""
    return await queries.list_due_tenants(session, now)


async def expire_due(session: AsyncSession, *, now: datetime) -> bool:
    """Close what nobody decided in time; say whether there may be more.

    Nothing depends on it but the journal: who decides or reads looks at the clock.
    """
    due = await queries.lock_due(session, now, most=DUE_AT_ONCE)
    for approval in due:
        close_lapsed(session, approval, now=now)
    return len(due) == DUE_AT_ONCE


async def forget_uses(session: AsyncSession, *, now: datetime) -> None:
    """Forget what counts towards nobody's day any more."""
    await queries.forget_uses(session, now - WINDOW)


async def _lock_open(
    session: AsyncSession, approval_id: UUID, *, caller: Principal, now: datetime
) -> Approval:
    """Return an approval that is open. Raises ApprovalNotFound, ApprovalClosed, ApprovalExpired."""
    found = await queries.lock_approval(session, approval_id)
    approval = await require_known(session, found, approval_id, caller)
    state = state_of(ApprovalState(approval.state), approval.expires_at, now)
    if state is ApprovalState.EXPIRED:
        raise ApprovalExpired(expired_at=approval.expires_at)
    if state is not ApprovalState.OPEN:
        raise ApprovalClosed(state=state)
    return approval


def _require_same_content(approval: Approval, lines: Sequence[ApprovalLine]) -> None:
    """Raise ApprovalStale unless what is stored is what was asked."""
    found = hash_content(approval.kind, approval.content, _asked_lines(lines))
    if found != approval.content_hash:
        raise ApprovalStale(cause=StaleCause.CONTENT)


def _asked_lines(lines: Sequence[ApprovalLine]) -> list[AskedLine]:
    return [
        AskedLine(each.line, each.item_id, each.location_id, each.lot_id, each.quantity)
        for each in lines
    ]
