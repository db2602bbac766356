"""Closing approvals: what became of one is written down, and journaled, once."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import queries
from services.inventory.approvals.models import Approval
from services.inventory.approvals.rules import ApprovalState, StaleCause
from shared import journal
from shared.contracts.inventory.approvals import ApprovalLapsed, ApprovalOvertaken
from shared.journal import Entry
from shared.principal import Principal


async def close_overtaken(
    session: AsyncSession,
    subject_ids: Collection[UUID],
    cause: StaleCause,
    *,
    now: datetime,
    except_id: UUID | None = None,
    requester_id: UUID | None = None,
) -> None:
    """Close what is open and hangs on these, since it cannot be given any more.

    Called by what changes them, which has them locked. `except_id` is the approval by which it
    does, `requester_id` whose alone are closed.
    """
    for approval in await queries.lock_of_subjects(
        session, subject_ids, requester_id=requester_id, except_id=except_id
    ):
        close_stale(session, approval, cause, caller=None, now=now)


def close_stale(
    session: AsyncSession,
    approval: Approval,
    cause: StaleCause,
    *,
    caller: Principal | None,
    now: datetime,
) -> None:
    """Close an approval that cannot be given any more, found so by who would have given it."""
    approval.stale_cause = cause.value
    entry = ApprovalOvertaken(approval_id=approval.id, cause=cause)
    close(session, approval, ApprovalState.STALE, entry, caller=caller, now=now)


def close_lapsed(session: AsyncSession, approval: Approval, *, now: datetime) -> None:
    """Close an approval that nobody decided in time."""
    entry = ApprovalLapsed(approval_id=approval.id)
    close(session, approval, ApprovalState.EXPIRED, entry, caller=None, now=now)


def close(
    session: AsyncSession,
    approval: Approval,
    state: ApprovalState,
    entry: Entry,
    *,
    caller: Principal | None,
    now: datetime,
) -> None:
    """Write down what became of an approval; of nobody, if nobody decided it."""
    approval.state = state.value
    approval.decider_id = None if caller is None else caller.id
    approval.decided_by = journal.stamp_of(session).actor
    approval.decided_at = max(now, approval.opened_at)  # Clocks may differ.
    approval.version += 1
    journal.record(session, entry)
