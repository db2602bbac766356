"""What each role may change alone."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import queries
from services.inventory.approvals.models import ApprovalLimits
from services.inventory.approvals.rules import ApprovalPolicy
from services.inventory.approvals.schemas import (
    ApprovalLimitsRead,
    ApprovalLimitsUpdate,
    RoleLimit,
)
from shared import journal
from shared.contracts.inventory.approvals import ApprovalLimitsSet
from shared.etag import require_match
from shared.money import plain
from shared.principal import Principal


class Limits(NamedTuple):
    """What somebody may change alone: an amount, and units of what has no cost; None: no limit."""

    amount: Decimal | None = None
    quantity_without_cost: Decimal | None = None


async def find_limits(session: AsyncSession, role: str, *, policy: ApprovalPolicy) -> Limits:
    """Return what a role may change alone."""
    found = await queries.find_limits(session)
    if found is None:
        return Limits(policy.threshold, None)
    if role not in found.amounts:
        return Limits(policy.threshold, found.quantity_without_cost)
    amount = found.amounts[role]
    return Limits(None if amount is None else Decimal(amount), found.quantity_without_cost)


async def get_limits(session: AsyncSession, *, policy: ApprovalPolicy) -> ApprovalLimitsRead:
    """Return the tenant's limits."""
    return _limits_read(await queries.find_limits(session), policy)


async def replace_limits(
    session: AsyncSession,
    wanted: ApprovalLimitsUpdate,
    *,
    if_match: str | None,
    policy: ApprovalPolicy,
    caller: Principal,
    now: datetime,
) -> ApprovalLimitsRead:
    """Set all limits of the tenant; roles that are not named have the default.

    Raises PreconditionFailed.
    """
    found = await queries.lock_limits(session)
    require_match(if_match, 0 if found is None else found.version)
    before = {} if found is None else found.amounts
    amounts: dict[str, str | None] = {
        each.role: None if each.amount is None else plain(each.amount) for each in wanted.limits
    }
    if found is None:
        found = ApprovalLimits(id=1, version=0)
        session.add(found)
    found.amounts, found.quantity_without_cost = amounts, wanted.quantity_without_cost
    found.changed_at, found.changed_by, found.version = now, caller.actor, found.version + 1
    journal.record(
        session,
        ApprovalLimitsSet(
            amounts_before=before,
            amounts=amounts,
            quantity_without_cost=wanted.quantity_without_cost,
            version=found.version,
        ),
    )
    return _limits_read(found, policy)


def _limits_read(found: ApprovalLimits | None, policy: ApprovalPolicy) -> ApprovalLimitsRead:
    amounts = {} if found is None else found.amounts
    return ApprovalLimitsRead.model_validate(
        {
            "default": policy.threshold,
            "limits": [
                RoleLimit.model_validate({"role": r, "amount": a})
                for r, a in sorted(amounts.items())
            ],
            "quantity_without_cost": None if found is None else found.quantity_without_cost,
            "version": 0 if found is None else found.version,
        }
    )
