"""Stock on its way: what leaves one location, and when it should arrive at the other."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InTransit, TransferInPlace
from services.inventory.ledger.rules import (
    NO_LOT,
    Change,
    Kind,
    Outcome,
    Reference,
    item_reference,
    lot_name,
)
from services.inventory.locations.models import Location
from services.inventory.locations.rules import LocationType
from services.inventory.locations.service import (
    get_location,
    get_named_location,
    hold_location,
    places_of,
)
from services.inventory.transfers import queries
from services.inventory.transfers.errors import TransitMissing
from services.inventory.transfers.models import Transfer, TransferPart
from services.inventory.transfers.queries import Transit
from services.inventory.transfers.schemas import TransferCreate, TransferRead, TransferUpdate
from services.inventory.transfers.service.reading import (
    lock_known,
    read,
    require_under_way,
    to_read,
)
from shared import journal
from shared.contracts.inventory.transfers import TransferDispatched, TransferExpected
from shared.etag import require_match
from shared.ids import new_id
from shared.principal import Places, Principal


async def dispatch_transfer(
    session: AsyncSession,
    wanted: TransferCreate,
    *,
    caller: Principal,
    request_id: str,
    now: datetime,
) -> TransferRead:
    """Move stock into transit, where nobody can take it until it is received.

    Who is limited knows both ends; where it lies in between he need not. Raises TransitMissing,
    LocationNotFound, LocationRetired, InTransit, TransferInPlace, Frozen, and what
    `ledger.problem_of` returns.
    """
    await freezes.require_thawed(session)
    places = await places_of(session, caller)
    start, goal, via = await _find_way(session, wanted, places)
    change = _leaving(wanted, start.id, via, places=places, caller=caller, request_id=request_id)
    outcome = await _applied(session, change)
    if outcome.spot.item_id is None:
        raise AssertionError("what was granted was found")
    parts = _parts(outcome)
    await queries.reserve(
        session, outcome.spot.item_id, via.id, {p.lot_id: p.quantity for p in parts}
    )
    transfer = Transfer(
        id=change.id,
        item_id=outcome.spot.item_id,
        from_id=start.id,
        to_id=goal.id,
        via_id=via.id,
        quantity=-outcome.quantity,  # In stock units, whatever unit was named.
        given_quantity=None if outcome.given_unit is None else wanted.quantity,
        given_unit=None if outcome.given_unit is None else outcome.given_unit.unit,
        reference=wanted.reference,
        expected_at=wanted.expected_at,
        dispatched_at=now,
        dispatched_by=caller.actor,
        missing_serials=[],
    )
    session.add(transfer)
    session.add_all(parts)
    journal.record(session, _dispatched(transfer))
    await session.flush()  # Read back with the names of what it is about.
    [row] = await queries.list_transfers(session, only=transfer.id, places=places)
    return to_read(row, places)


async def change_transfer(
    session: AsyncSession,
    transfer_id: UUID,
    wanted: TransferUpdate,
    if_match: str | None,
    *,
    caller: Principal,
) -> TransferRead:
    """Let a transfer that is under way be expected at another time.

    Raises TransferNotFound, TransferReceivedAlready, TransferCalledOff, LocationNotFound,
    PreconditionFailed, Frozen.
    """
    await freezes.require_thawed(session)
    places = await places_of(session, caller)
    transfer = await lock_known(session, transfer_id, places)
    goal = await get_location(session, transfer.to_id)
    await freezes.require_not_frozen(session, goal.frozen_by, places=places)
    require_match(if_match, transfer.version)
    require_under_way(transfer)
    if "expected_at" in wanted.model_fields_set and wanted.expected_at != transfer.expected_at:
        transfer.expected_at = wanted.expected_at
        transfer.version += 1
        journal.record(
            session, TransferExpected(transfer_id=transfer.id, expected_at=transfer.expected_at)
        )
        await session.flush()  # Read back with the names of what it is about.
    return await read(session, transfer.id, places)


async def _find_way(
    session: AsyncSession, wanted: TransferCreate, places: Places
) -> tuple[Location, Location, Transit]:
    """Return where it leaves, where it goes, which stays in use, and where it lies in between.

    Raises TransitMissing, LocationNotFound, LocationRetired, InTransit, TransferInPlace, Frozen.
    """
    start = await get_named_location(session, wanted.location, places=places)
    named = await get_named_location(session, wanted.to_location, places=places)
    goal = await hold_location(session, str(named.id))
    via = await queries.find_transit(session, wanted.via, places=places)
    if via is None:
        raise TransitMissing
    await freezes.require_not_frozen(session, goal.frozen_by, places=places)
    if LocationType.TRANSIT in {start.type, goal.type}:
        raise InTransit
    if start.id == goal.id:
        raise TransferInPlace
    return start, goal, via


def _leaving(
    wanted: TransferCreate,
    start_id: UUID,
    via: Transit,
    *,
    places: Places,
    caller: Principal,
    request_id: str,
) -> Change:
    return Change(
        id=new_id(),
        kind=Kind.TRANSFER,
        item=item_reference(wanted.item),
        place=Reference(start_id, None, wanted.location),
        counterplace=Reference(via.id, None, via.name),
        actor=caller.actor,
        request_id=request_id,
        quantity=-(wanted.quantity or Decimal(len(wanted.serials or ()))),
        unit=wanted.unit,
        lot=None if wanted.lot is None else lot_name(wanted.lot),
        serials=None if wanted.serials is None else tuple(map(lot_name, wanted.serials)),
        is_told_by_serials=wanted.quantity is None,
        reference=wanted.reference,
        is_stage=True,
        places=None if places is None else places | {via.id},
    )


async def _applied(session: AsyncSession, change: Change) -> Outcome:
    """Apply the change and return its outcome. Raises what refuses it."""
    [outcome] = await ledger.apply(session, [change], atomic=True)
    if outcome.refusal is not None:
        raise ledger.problem_of(outcome)
    return outcome


def _parts(outcome: Outcome) -> list[TransferPart]:
    """Return what left, lot by lot or serial by serial."""
    return [
        TransferPart(
            transfer_id=outcome.change.id,
            lot_id=NO_LOT if part.lot is None else part.lot.id,
            quantity=-part.quantity,
            arrived=Decimal(0),
        )
        for part in outcome.parts
    ]


def _dispatched(transfer: Transfer) -> TransferDispatched:
    return TransferDispatched(
        transfer_id=transfer.id,
        item_id=transfer.item_id,
        from_id=transfer.from_id,
        to_id=transfer.to_id,
        quantity=transfer.quantity,
        expected_at=transfer.expected_at,
    )
