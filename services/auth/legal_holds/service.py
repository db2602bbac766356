"""Legal holds: placed by one administrator, lifted by two. They beat retention."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.legal_holds import queries
from services.auth.legal_holds.errors import (
    AnotherMustApprove,
    LegalHoldLifted,
    LegalHoldNotFound,
    LiftNotAsked,
    LiftPending,
)
from services.auth.legal_holds.models import LegalHold
from services.auth.legal_holds.rules import HoldKind
from services.auth.legal_holds.schemas import (
    LegalHoldCreate,
    LegalHoldPage,
    LegalHoldRead,
    LiftAsk,
)
from shared import journal
from shared.contracts.auth.legal_holds import (
    LegalHoldLiftAsked,
    LegalHoldLiftEnded,
    LegalHoldPlaced,
    LegalHoldRemoved,
)
from shared.ids import new_id
from shared.journal.holds import ActiveHold
from shared.pagination import Keyset, PageQuery
from shared.principal import Principal

_OLDEST_FIRST = Keyset("id", UUID)  # Ids grow with time.


async def list_holds(session: AsyncSession, asked: PageQuery) -> LegalHoldPage:
    """Return one page of the tenant's holds, oldest first. Raises InvalidCursor."""
    found = await queries.list_holds(
        session, after=_OLDEST_FIRST.after(asked.cursor), limit=asked.limit + 1
    )
    holds, next_cursor = _OLDEST_FIRST.page(found, asked.limit, lambda hold: (hold.id,))
    return LegalHoldPage(items=[to_read(hold) for hold in holds], next_cursor=next_cursor)


async def list_active(session: AsyncSession) -> Sequence[ActiveHold]:
    """Return what is held of any tenant."""
    return [ActiveHold.model_validate(dict(row)) for row in await queries.list_active(session)]


async def list_keeping(
    session: AsyncSession, kind: HoldKind, since: datetime, until: datetime
) -> Sequence[UUID]:
    """Return the tenant's holds in force on what of this kind happened in a period."""
    return await queries.list_keeping(session, kind, since.date(), until.date())


async def place_hold(
    session: AsyncSession, wanted: LegalHoldCreate, *, caller: Principal, now: datetime
) -> LegalHold:
    """Keep what is described from retention until the hold is lifted."""
    hold = LegalHold(
        id=new_id(),
        kind=wanted.kind,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        reason=wanted.reason,
        placed_by=caller.id,
        placed_at=now,
    )
    session.add(hold)
    journal.record(session, LegalHoldPlaced.of(hold))
    return hold


async def ask_to_lift(
    session: AsyncSession, hold_id: UUID, wanted: LiftAsk, *, caller: Principal, now: datetime
) -> LegalHold:
    """Ask that a hold be lifted, which another administrator must approve.

    Raises LegalHoldNotFound, LegalHoldLifted, LiftPending.
    """
    hold = await _lock_active(session, hold_id)
    if hold.lift_asked_by is not None:
        raise LiftPending
    hold.lift_reason, hold.lift_asked_by, hold.lift_asked_at = wanted.reason, caller.id, now
    entry = LegalHoldLiftAsked(hold_id=hold.id, asked_by=caller.id, reason=wanted.reason)
    journal.record(session, entry)
    return hold


async def approve_lift(
    session: AsyncSession, hold_id: UUID, *, caller: Principal, now: datetime
) -> LegalHold:
    """Lift a hold as somebody else asked: what it kept goes by policy again.

    Raises LegalHoldNotFound, LegalHoldLifted, LiftNotAsked, AnotherMustApprove.
    """
    hold = await _lock_active(session, hold_id)
    if hold.lift_asked_by is None:
        raise LiftNotAsked
    if hold.lift_asked_by == caller.id:
        raise AnotherMustApprove
    hold.lifted_by, hold.lifted_at = caller.id, now
    entry = LegalHoldRemoved(hold_id=hold.id, asked_by=hold.lift_asked_by, approved_by=caller.id)
    journal.record(session, entry)
    return hold


async def end_lift(session: AsyncSession, hold_id: UUID, *, caller: Principal) -> None:
    """Withdraw one's own wish to lift a hold, or decline another's: it stays in force.

    Raises LegalHoldNotFound, LegalHoldLifted, LiftNotAsked.
    """
    hold = await _lock_active(session, hold_id)
    asked_by = hold.lift_asked_by
    if asked_by is None:
        raise LiftNotAsked
    hold.lift_reason = hold.lift_asked_by = hold.lift_asked_at = None
    entry = LegalHoldLiftEnded(
        hold_id=hold.id,
        asked_by=asked_by,
        ended_by=caller.id,
        outcome="withdrawn" if asked_by == caller.id else "declined",
    )
    journal.record(session, entry)


def to_read(hold: LegalHold) -> LegalHoldRead:
    return LegalHoldRead.model_validate(hold)


async def _lock_active(session: AsyncSession, hold_id: UUID) -> LegalHold:
    hold = await queries.lock_hold(session, hold_id)
    if hold is None:
        raise LegalHoldNotFound
    if hold.lifted_at is not None:
        raise LegalHoldLifted
    return hold
