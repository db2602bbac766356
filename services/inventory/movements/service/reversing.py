"""Undoing a movement: the opposite of all its legs, as a movement of its own, once."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import Change, Kind, Reference, Refusal, Reversed
from services.inventory.ledger.service import Leg
from services.inventory.locations.service import places_of
from services.inventory.movements.errors import (
    AlreadyReversed,
    MovementNotFound,
    ReversalIsFinal,
)
from services.inventory.movements.schemas import MovementRead, ReversalCreate
from services.inventory.movements.service.recording import Origin, to_read
from shared.ids import new_id
from shared.principal import Places
from shared.security.sealing import Sealer


async def reverse_movement(
    session: AsyncSession,
    sealer: Sealer,
    movement_id: UUID,
    wanted: ReversalCreate,
    *,
    origin: Origin,
) -> MovementRead:
    """Record the opposite of a movement, at the cost that it had, and return that.

    Of the assembly of a kit all movements are undone together. It is judged like any movement.
    Raises MovementNotFound, ReversalIsFinal, AlreadyReversed, and what `ledger.problem_of` returns.
    """
    origin = replace(origin, places=await places_of(session, origin.caller))
    legs = await ledger.list_legs(session, movement_id)
    if not legs or not all(_is_known(leg, origin.places) for leg in legs):
        raise MovementNotFound(movement=str(movement_id))
    if legs[0].kind == Kind.REVERSAL:
        raise ReversalIsFinal
    changes = await _opposites(session, legs, wanted, origin)
    for undone, change in changes.items():
        earlier = await ledger.claim_reversal(session, undone, change.id)
        if earlier is not None:
            raise AlreadyReversed(reversed_by=str(earlier))
    for outcome in await ledger.apply(session, list(changes.values()), atomic=True):
        if outcome.refusal not in {None, Refusal.HELD_BACK}:
            raise ledger.problem_of(outcome)
    rows = await ledger.get_recorded(session, changes[movement_id].id, places=origin.places)
    return to_read(rows, sealer, caller=origin.caller)


async def _opposites(
    session: AsyncSession, legs: list[Leg], wanted: ReversalCreate, origin: Origin
) -> dict[UUID, Change]:
    """Return what undoes a movement and all that it is one with, by what it undoes."""
    occurred_at = legs[0].occurred_at if wanted.dated == "original" else None
    part_of = legs[0].part_of
    if part_of is None:
        return {legs[0].id: _opposite(legs, wanted.reason, occurred_at, origin)}
    found = {
        each: await ledger.list_legs(session, each)
        for each in await ledger.list_parts(session, part_of)
    }
    changes = {
        each: _opposite(legs_of, wanted.reason, occurred_at, origin)
        for each, legs_of in found.items()
    }
    whole = changes[part_of].id
    return {each: change._replace(part_of=whole) for each, change in changes.items()}


def _is_known(leg: Leg, places: Places) -> bool:
    return places is None or leg.location_id in places


def _opposite(legs: list[Leg], reason: str, occurred_at: datetime | None, origin: Origin) -> Change:
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
        actor=origin.actor,
        request_id=origin.request_id,
        quantity=-sum((leg.quantity for leg in here), Decimal(0)),
        occurred_at=occurred_at,
        cost_id=first.cost_id,
        reason=reason,
        reference=first.reference,
        places=origin.places,
        shares=tuple((leg.lot, -leg.quantity) for leg in here if leg.lot is not None),
        reverses=Reversed(first.id, Kind(first.kind), first.occurred_at),
    )
