"""Undoing a movement: the opposite of all its legs, as a movement of its own, once."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import (
    ApprovalKind,
    ApprovalPolicy,
    StaleCause,
    is_weighed,
)
from services.inventory.approvals.schemas import ApprovalRead
from services.inventory.approvals.service import Approved, Asked
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import AlreadyReversed
from services.inventory.ledger.rules import Change, Kind, Reference, Reversed
from services.inventory.ledger.service import Leg
from services.inventory.locations.service import places_of
from services.inventory.movements.errors import (
    MovementNotFound,
    ReversalIsFinal,
)
from services.inventory.movements.schemas import MovementRead, ReversalCreate
from services.inventory.movements.service.recording import Origin, to_read
from services.inventory.openings.errors import MovementsArchived
from services.inventory.openings.service import find_kept_from, require_kept_id
from shared.clock import utc_now
from shared.ids import new_id
from shared.principal import Places
from shared.security.sealing import Sealer


class _By(NamedTuple):
    """By whom a movement is undone, and by which request."""

    actor: str
    request_id: str
    places: Places


async def reverse_movement(
    session: AsyncSession,
    sealer: Sealer,
    movement_id: UUID,
    wanted: ReversalCreate,
    *,
    policy: ApprovalPolicy,
    origin: Origin,
    now: datetime,
) -> MovementRead | ApprovalRead:
    """Record the opposite of a movement, at the cost that it had, and return that.

    Of the assembly of a kit all movements are undone together. It is judged like any movement; one
    whose value is limited may need an approval, which is returned then. Raises MovementNotFound,
    MovementsArchived, ReversalIsFinal, AlreadyReversed, and what `ledger.problem_of` returns.
    """
    caller = origin.caller
    by = _By(origin.actor, origin.request_id, await places_of(session, caller))
    legs = await ledger.list_legs(session, movement_id)
    if not legs:
        await require_kept_id(session, movement_id)
    if not legs or not all(_is_known(leg, by.places) for leg in legs):
        raise MovementNotFound(movement=str(movement_id))
    if legs[0].kind == Kind.REVERSAL:
        raise ReversalIsFinal
    occurred_at = legs[0].occurred_at if wanted.dated == "original" else None
    changes = await _opposites(session, legs, wanted.reason, occurred_at, by)
    earlier = await ledger.find_reversal(session, movement_id)
    if earlier is not None:
        raise AlreadyReversed(reversed_by=str(earlier))
    if any(is_weighed(change) for change in changes.values()):
        outcomes = await ledger.foresee(session, list(changes.values()), atomic=True)
        asked = Asked(
            ApprovalKind.REVERSAL,
            {"movement_id": str(movement_id), "reason": wanted.reason, "dated": wanted.dated},
            outcomes,
            subject_id=movement_id,
        )
        approval = await approvals.gate(
            session, sealer, asked, policy=policy, caller=caller, now=now
        )
        if approval is not None:
            return approvals.to_awaited(
                approval, sealer, caller=caller, now=now, language=origin.language
            )
    await _claim(session, changes, now)
    ledger.require_granted(await ledger.apply(session, list(changes.values()), atomic=True))
    rows = await ledger.get_recorded(session, changes[movement_id].id, places=by.places)
    return to_read(rows, sealer, caller=caller)


async def apply_approved_reversal(
    session: AsyncSession, sealer: Sealer, approved: Approved
) -> list[UUID]:
    """Undo the movement that was asked to be, at the time that was said.

    Raises AlreadyReversed, MovementsArchived, and what `approvals.apply_approved` raises.
    """
    by = _By(approved.requested_by, approved.request_id, approved.places)
    legs = await ledger.list_legs(session, UUID(approved.content["movement_id"]))
    kept_from = await find_kept_from(session)
    if not legs and kept_from is not None:
        raise MovementsArchived(kept_from=kept_from)
    occurred_at, reason = approved.lines[0].occurred_at, approved.content["reason"]
    changes = await _opposites(session, legs, reason, occurred_at, by)
    await approvals.apply_approved(session, sealer, approved, list(changes.values()))
    await _claim(session, changes, utc_now(), approved.approval_id)
    return [change.id for change in changes.values()]


async def _claim(
    session: AsyncSession,
    changes: Mapping[UUID, Change],
    now: datetime,
    approval_id: UUID | None = None,
) -> None:
    """Write down what undoes which movement; nobody need approve that any more.

    Raises AlreadyReversed.
    """
    for undone, change in changes.items():
        earlier = await ledger.claim_reversal(session, undone, change.id)
        if earlier is not None:
            raise AlreadyReversed(reversed_by=str(earlier))
    await approvals.close_overtaken(
        session, list(changes), StaleCause.OVER, except_id=approval_id, now=now
    )


async def _opposites(
    session: AsyncSession, legs: list[Leg], reason: str, occurred_at: datetime | None, by: _By
) -> dict[UUID, Change]:
    """Return what undoes a movement and all that it is one with, by what it undoes."""
    part_of = legs[0].part_of
    if part_of is None:
        return {legs[0].id: _opposite(legs, reason, occurred_at, by)}
    found = {
        each: await ledger.list_legs(session, each)
        for each in await ledger.list_parts(session, part_of)
    }
    changes = {each: _opposite(legs_of, reason, occurred_at, by) for each, legs_of in found.items()}
    whole = changes[part_of].id
    return {each: change._replace(part_of=whole) for each, change in changes.items()}


def _is_known(leg: Leg, places: Places) -> bool:
    return places is None or leg.location_id in places


def _opposite(legs: list[Leg], reason: str, occurred_at: datetime | None, by: _By) -> Change:
    """Return the change that undoes a movement: of a transfer both ends at once, lot by lot."""
    first = legs[0]
    here = [leg for leg in legs if leg.location_id == first.location_id]
    elsewhere = (leg for leg in legs if leg.location_id != first.location_id)
    return Change(
        id=new_id(),
        kind=Kind.REVERSAL,
        item=Reference(first.item_id, None, first.item),
        place=Reference(first.location_id, None, first.location),
        counterplace=next(
            (Reference(leg.location_id, None, leg.location) for leg in elsewhere), None
        ),
        actor=by.actor,
        request_id=by.request_id,
        quantity=-sum((leg.quantity for leg in here), Decimal(0)),
        occurred_at=occurred_at,
        cost_id=first.cost_id,
        reason=reason,
        reference=first.reference,
        places=by.places,
        shares=tuple((leg.lot, -leg.quantity) for leg in here if leg.lot is not None),
        reverses=Reversed(first.id, Kind(first.kind), first.occurred_at),
    )
