"""Making kits of their components and taking them apart: all of one assembly or nothing."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.errors import ApprovalStale
from services.inventory.approvals.rules import (
    ApprovalKind,
    ApprovalPolicy,
    StaleCause,
    has_outgrown,
    value_of,
)
from services.inventory.approvals.schemas import ApprovalRead
from services.inventory.approvals.service import Approved, Asked
from services.inventory.kits.errors import (
    AssemblyInexact,
    AssemblyRefused,
    KitNotFound,
    KitOutlastsComponents,
    PickUnfit,
)
from services.inventory.kits.schemas import (
    AssemblyCreate,
    AssemblyMovement,
    AssemblyRead,
)
from services.inventory.kits.service.expiring import bound_expiry, has_lot
from services.inventory.kits.service.planning import PLANS, AssembledBy, AssemblyAsked, asking_of
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import (
    Change,
    Outcome,
)
from services.inventory.locations.service import places_of
from services.inventory.movements.schemas import LotQuantityRead
from services.inventory.prices import service as prices
from services.inventory.prices.service import SeenAmount
from shared.money import plain
from shared.principal import Principal
from shared.security.sealing import Sealer


class Assembler(NamedTuple):
    """Who assembles, by which request, in which language he is told, and what he may do alone."""

    caller: Principal
    request_id: str
    language: str
    policy: ApprovalPolicy
    now: datetime


async def assemble_kit(
    session: AsyncSession, sealer: Sealer, kit_id: UUID, wanted: AssemblyCreate, by: Assembler
) -> AssemblyRead | ApprovalRead:
    """Take the components of kits out of stock and put the kits in, at what these cost together.

    Where that is not known, and they are worth other than the kits by more than the caller may
    change alone, it waits for the approval that is returned. Raises KitNotFound, UnknownUnit,
    QuantityInexact, AssemblyInexact, PickUnfit, KitOutlastsComponents; what
    `ledger.problem_of` returns, of one item alone; AssemblyRefused with each item that refuses.
    """
    return await _make(session, sealer, kit_id, ("assemble", wanted), by)


async def disassemble_kit(
    session: AsyncSession, sealer: Sealer, kit_id: UUID, wanted: AssemblyCreate, by: Assembler
) -> AssemblyRead | ApprovalRead:
    """Take kits out of stock and put their components in, which share what the kits cost.

    Each bears as much of it as it costs itself beside the others; where the cost of one is not
    known they come at their own. Where they are worth other than the kits, as those of another
    definition than the kits were made by, it may wait as an assembly does. Raises what
    `assemble_kit` raises.
    """
    return await _make(session, sealer, kit_id, ("disassemble", wanted), by)


async def apply_approved_assembly(
    session: AsyncSession, sealer: Sealer, approved: Approved
) -> list[UUID]:
    """Assemble kits, or take them apart, as was asked.

    Raises what `approvals.apply_approved` raises; ApprovalStale too where the kit is made of
    something else by now.
    """
    content, at = approved.content, approved.lines[0].occurred_at
    wanted = AssemblyCreate.model_validate(content["assembly"]).model_copy(
        update={"occurred_at": at}
    )
    by = AssembledBy(approved.requested_by, approved.request_id, approved.places, approved.approver)
    try:
        asking = await asking_of(session, UUID(content["kit_id"]), wanted, by)
        plan = await PLANS[content["way"]](session, sealer, asking)
        changes = await _bounded(session, content["way"], plan.changes)
    except (KitNotFound, AssemblyInexact, PickUnfit, KitOutlastsComponents) as error:
        raise ApprovalStale(cause=StaleCause.CONTENT) from error
    if has_outgrown(value_of(plan.loads), approved.value):
        raise ApprovalStale(cause=StaleCause.VALUE)
    await approvals.apply_approved(session, sealer, approved, changes)
    return [change.id for change in changes]


async def _bounded(session: AsyncSession, way: str, changes: list[Change]) -> list[Change]:
    """Return the changes with the kits' expiry; what is refused is told by who applies them."""
    if way != "assemble" or not has_lot(changes):
        return changes
    foreseen = await ledger.foresee(session, changes, atomic=True)
    if any(outcome.is_refused_itself for outcome in foreseen):
        return changes
    return await bound_expiry(session, foreseen)


async def _make(
    session: AsyncSession,
    sealer: Sealer,
    kit_id: UUID,
    asked: tuple[str, AssemblyCreate],
    assembler: Assembler,
) -> AssemblyRead | ApprovalRead:
    (way, wanted), (caller, request_id, language, policy, now) = asked, assembler
    by = AssembledBy(caller.actor, request_id, await places_of(session, caller), caller)
    asking = await asking_of(session, kit_id, wanted, by)
    plan = await PLANS[way](session, sealer, asking)
    if way == "assemble" and has_lot(plan.changes):
        foreseen = await ledger.foresee(session, plan.changes, atomic=True)
        _require_granted(foreseen, language)
        plan = plan._replace(changes=await bound_expiry(session, foreseen))
    if plan.loads:
        foreseen = await ledger.foresee(session, plan.changes, atomic=True)
        _require_granted(foreseen, language)
        said = wanted.model_dump(mode="json", exclude_unset=True)
        content = {"kit_id": str(kit_id), "way": way, "assembly": said}
        waits = Asked(ApprovalKind.ASSEMBLY, content, foreseen, plan.loads, kit_id)
        approval = await approvals.gate(
            session, sealer, waits, policy=policy, caller=caller, now=now
        )
        if approval is not None:
            return approvals.to_awaited(approval, sealer, caller=caller, now=now, language=language)
    outcomes = await ledger.apply(session, plan.changes, atomic=True)
    _require_granted(outcomes, language)
    seen = SeenAmount(None)
    if plan.cost is not None:
        seen = prices.open_for(sealer, plan.cost.id, plan.cost.amount, caller=caller)
    return _to_read(outcomes, asking, seen.amount)


def _require_granted(outcomes: Sequence[Outcome], language: str) -> None:
    """Raise what refuses the changes, if anything does."""
    refused = [
        (outcome, ledger.problem_of(outcome)) for outcome in outcomes if outcome.is_refused_itself
    ]
    if not refused:
        return
    if (
        len({problem.detail_in(language) for _, problem in refused}) == 1
    ):  # Of the place, or of one.
        raise refused[0][1]
    raise AssemblyRefused(
        refused=len(refused),
        results=[
            {
                "item": outcome.spot.code or outcome.change.item.text,
                "code": problem.code,
                "message": problem.detail_in(language),
                "available": plain(problem.available)
                if isinstance(problem, InsufficientStock)
                else None,
            }
            for outcome, problem in refused
        ],
    )


def _to_read(
    outcomes: Sequence[Outcome], asking: AssemblyAsked, unit_cost: Decimal | None
) -> AssemblyRead:
    kit = outcomes[-1]
    if kit.spot.place_id is None or kit.spot.place is None or kit.occurred_at is None:
        raise AssertionError("what was granted was found")
    return AssemblyRead(
        id=asking.movement_id,
        item=asking.kit.code,
        item_id=asking.kit.id,
        location=kit.spot.place,
        location_id=kit.spot.place_id,
        quantity=asking.quantity,
        unit_cost=unit_cost,
        occurred_at=kit.occurred_at,
        movements=[_movement(outcome) for outcome in outcomes],
    )


def _movement(outcome: Outcome) -> AssemblyMovement:
    if outcome.spot.item_id is None or outcome.spot.code is None:
        raise AssertionError("what was granted was found")
    return AssemblyMovement(
        id=outcome.change.id,
        item=outcome.spot.code,
        item_id=outcome.spot.item_id,
        change=outcome.quantity,
        balance_after=outcome.balance,
        lots=[
            LotQuantityRead(lot=part.lot.code, quantity=abs(part.quantity))
            for part in outcome.parts
            if part.lot is not None and not outcome.spot.has_serials
        ],
        serials=[
            part.lot.code
            for part in outcome.parts
            if part.lot is not None and part.lot.code is not None and outcome.spot.has_serials
        ],
    )
