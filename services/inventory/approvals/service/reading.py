"""Approvals, as callers see them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import queries
from services.inventory.approvals.errors import ApprovalNotFound
from services.inventory.approvals.models import Approval
from services.inventory.approvals.queries import ApprovalFilter, NamedLine
from services.inventory.approvals.rules import (
    ApprovalCause,
    ApprovalState,
    StaleCause,
    state_of,
)
from services.inventory.approvals.schemas import (
    ApprovalAwaitedRead,
    ApprovalDetailRead,
    ApprovalLineRead,
    ApprovalPage,
    ApprovalQuery,
    ApprovalRead,
)
from services.inventory.approvals.service.gating import Waiting
from services.inventory.ledger.rules import (
    TRACKS_SERIALS,
    Kind,
    MovementReason,
    item_reference,
    place_reference,
)
from services.inventory.locations.service import places_of
from services.inventory.prices import service as prices
from services.inventory.prices.service import SeenAmount
from shared.contracts.inventory.approvals import APPROVAL_VALUE_COLUMN
from shared.i18n import N_, translate
from shared.log import log
from shared.pagination import Keyset
from shared.principal import Places, Principal
from shared.security.sealing import SealBroken, Sealer, place

_NEWEST = Keyset("newest", UUID)
_OPENED = N_(
    "Nothing has changed yet: this is done once somebody else approves it, until {expires_at}. "
    "Read the approval to see what becomes of it; withdraw it if it is not needed any more."
)
_REPEATED = N_(
    "You asked for the same before, and that waits since {opened_at}: it is done once somebody "
    "else approves it, until {expires_at}. If you mean another one, give it a reference of its own."
)


async def get_approval(
    session: AsyncSession, sealer: Sealer, approval_id: UUID, *, caller: Principal, now: datetime
) -> ApprovalDetailRead:
    """Return an approval with what it does. Raises ApprovalNotFound."""
    approval = await queries.find_approval(session, approval_id)
    approval = await require_known(session, approval, approval_id, caller)
    lines = await queries.list_named_lines(session, approval_id)
    shown, places = (
        to_read(approval, sealer, caller=caller, now=now),
        await places_of(session, caller),
    )
    return ApprovalDetailRead(**dict(shown), lines=[_line_read(each, places) for each in lines])


async def list_approvals(
    session: AsyncSession,
    sealer: Sealer,
    wanted: ApprovalQuery,
    *,
    caller: Principal,
    now: datetime,
) -> ApprovalPage:
    """Return one page of approvals, newest first. Raises InvalidCursor."""
    after = _NEWEST.after(wanted.cursor)
    filters = ApprovalFilter(
        now=now,
        state=wanted.state,
        item=None if wanted.item is None else item_reference(wanted.item),
        location=None if wanted.location is None else place_reference(wanted.location),
        requester_id=None if wanted.requested_by is None else caller.id,
        places=await places_of(session, caller),
    )
    rows = await queries.list_approvals(
        session, filters, before_id=after[0] if after else None, limit=wanted.limit + 1
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row.id,))
    return ApprovalPage(
        items=[to_read(row, sealer, caller=caller, now=now) for row in page],
        next_cursor=next_cursor,
    )


async def require_known(
    session: AsyncSession, approval: Approval | None, approval_id: UUID, caller: Principal
) -> Approval:
    """Return the approval, if it belongs to places of the caller's. Raises ApprovalNotFound."""
    if approval is None:
        raise ApprovalNotFound(approval=str(approval_id))
    places = await places_of(session, caller)
    if places is not None and not await queries.is_within(session, approval_id, places):
        raise ApprovalNotFound(approval=str(approval_id))
    return approval


def to_read(
    approval: Approval, sealer: Sealer, *, caller: Principal, now: datetime
) -> ApprovalRead:
    """Return the approval as the caller sees it: its value only if he may see prices."""
    value = open_value(approval, sealer, caller) if prices.may_see(caller) else SeenAmount(None)
    return ApprovalRead(
        id=approval.id,
        kind=approval.what,
        state=state_of(ApprovalState(approval.state), approval.expires_at, now),
        cause=ApprovalCause(approval.cause),
        value=value.amount,
        line_count=approval.line_count,
        requested_by=approval.requested_by,
        opened_at=approval.opened_at,
        expires_at=approval.expires_at,
        decided_by=approval.decided_by,
        decided_at=approval.decided_at,
        reason=approval.note,
        stale_cause=None if approval.stale_cause is None else StaleCause(approval.stale_cause),
        movements=approval.movements,
        version=approval.version,
        unreadable=["value"] if value.is_unreadable else [],
    )


def to_awaited(
    waiting: Waiting, sealer: Sealer, *, caller: Principal, now: datetime, language: str
) -> ApprovalAwaitedRead:
    """Return the approval that something waits for, with what happens next in words."""
    approval = waiting.approval
    return ApprovalAwaitedRead(
        **dict(to_read(approval, sealer, caller=caller, now=now)),
        message=say_awaited(waiting, language),
    )


def say_awaited(waiting: Waiting, language: str) -> str:
    """Return in words what happens next to what waits for an approval."""
    approval = waiting.approval
    return translate(
        _REPEATED if waiting.is_repeated else _OPENED,
        language,
        opened_at=approval.opened_at,
        expires_at=approval.expires_at,
    )


def open_value(approval: Approval, sealer: Sealer, caller: Principal) -> SeenAmount:
    """Return what an approval was worth when it was asked for, to reckon with, whoever asks."""
    if approval.value is None:
        return SeenAmount(None)
    where = place(APPROVAL_VALUE_COLUMN, caller.tenant_id, approval.id)
    try:
        return SeenAmount(sealer.open_amount(approval.value, where))
    except SealBroken:
        log.error("sealed value of an approval cannot be opened", approval_id=approval.id)
        return SeenAmount(None, is_unreadable=True)


def _line_read(named: NamedLine, places: Places) -> ApprovalLineRead:
    line = named.line
    is_known = places is None or line.location_id in places  # But where a transfer lies on its way.
    is_serial = named.tracking == TRACKS_SERIALS
    return ApprovalLineRead(
        line=line.line,
        item=named.item,
        item_id=line.item_id,
        location=named.location if is_known else None,
        location_id=line.location_id if is_known else None,
        lot=None if is_serial else named.lot or line.lot,
        serial=named.lot or line.lot if is_serial else None,
        movement_kind=Kind(line.movement_kind),
        change=line.quantity,
        on_hand=line.on_hand if is_known else None,
        reason_code=None if line.reason_code is None else MovementReason(line.reason_code),
        reason=line.reason,
        reference=line.reference,
        occurred_at=line.occurred_at,
    )
