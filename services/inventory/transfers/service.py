"""Transfers in two stages: what leaves one location is in transit until another receives it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InTransit, TransferInPlace
from services.inventory.ledger.rules import (
    NO_LOT,
    Change,
    Kind,
    Lot,
    MovementReason,
    Outcome,
    Reference,
    item_reference,
    lot_name,
)
from services.inventory.locations.rules import LocationType
from services.inventory.locations.service import get_location, get_named_location, hold_location
from services.inventory.transfers import queries
from services.inventory.transfers.errors import (
    TransferNotFound,
    TransferReceivedAlready,
    TransitMissing,
)
from services.inventory.transfers.models import Transfer, TransferPart
from services.inventory.transfers.rules import TransferState, arrival_of, share_arrival
from services.inventory.transfers.schemas import (
    TransferCreate,
    TransferPage,
    TransferQuery,
    TransferRead,
    TransferReceive,
    TransferUpdate,
)
from shared import journal
from shared.contracts.inventory.transfers import (
    TransferDispatched,
    TransferExpected,
    TransferReceived,
)
from shared.etag import require_match
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Principal

_NEWEST = Keyset("newest", UUID)


async def dispatch_transfer(
    session: AsyncSession,
    wanted: TransferCreate,
    *,
    caller: Principal,
    request_id: str,
    now: datetime,
) -> TransferRead:
    """Move stock into transit, where nobody can take it until it is received.

    Raises TransitMissing, LocationNotFound, LocationRetired, InTransit, TransferInPlace, Frozen,
    and what `ledger.problem_of` returns.
    """
    await freezes.require_thawed(session)
    start = await get_named_location(session, wanted.location)
    goal = await hold_location(session, wanted.to_location)
    via_id = await queries.find_transit(session, wanted.via)
    if via_id is None:
        raise TransitMissing
    await freezes.require_not_frozen(session, goal.frozen_by)
    if LocationType.TRANSIT in {start.type, goal.type}:
        raise InTransit
    if start.id == goal.id:
        raise TransferInPlace
    change = _leaving(wanted, start.id, via_id, caller=caller, request_id=request_id)
    [outcome] = await _applied(session, [change])
    if outcome.spot.item_id is None:
        raise AssertionError("what was granted was found")
    moved = -outcome.quantity  # In stock units, whatever unit a barcode names.
    for part in outcome.parts:
        lot_id = NO_LOT if part.lot is None else part.lot.id
        await queries.reserve(session, outcome.spot.item_id, via_id, lot_id, -part.quantity)
    transfer = Transfer(
        id=change.id,
        item_id=outcome.spot.item_id,
        from_id=start.id,
        to_id=goal.id,
        via_id=via_id,
        quantity=moved,
        reference=wanted.reference,
        expected_at=wanted.expected_at,
        dispatched_at=now,
        dispatched_by=caller.actor,
    )
    session.add(transfer)
    session.add_all(_parts(transfer.id, outcome))
    journal.record(
        session,
        TransferDispatched(
            transfer_id=transfer.id,
            item_id=transfer.item_id,
            from_id=transfer.from_id,
            to_id=transfer.to_id,
            quantity=transfer.quantity,
            expected_at=transfer.expected_at,
        ),
    )
    await session.flush()  # Read back with the names of what it is about.
    return to_read(*await queries.list_transfers(session, only=transfer.id))


async def change_transfer(
    session: AsyncSession, transfer_id: UUID, wanted: TransferUpdate, if_match: str | None
) -> TransferRead:
    """Let a transfer that is under way be expected at another time.

    Raises TransferNotFound, TransferReceivedAlready, LocationNotFound, PreconditionFailed, Frozen.
    """
    await freezes.require_thawed(session)
    transfer = await queries.lock_transfer(session, transfer_id)
    if transfer is None:
        raise TransferNotFound
    goal = await get_location(session, transfer.to_id)
    await freezes.require_not_frozen(session, goal.frozen_by)
    require_match(if_match, transfer.version)
    if transfer.received is not None:
        raise TransferReceivedAlready
    if "expected_at" in wanted.model_fields_set and wanted.expected_at != transfer.expected_at:
        transfer.expected_at = wanted.expected_at
        transfer.version += 1
        journal.record(
            session, TransferExpected(transfer_id=transfer.id, expected_at=transfer.expected_at)
        )
        await session.flush()  # Read back with the names of what it is about.
    return await get_transfer(session, transfer.id)


async def receive_transfer(
    session: AsyncSession,
    transfer_id: UUID,
    wanted: TransferReceive,
    *,
    caller: Principal,
    request_id: str,
    now: datetime,
) -> TransferRead:
    """Move what arrived out of transit; what is missing is written off, what is more is adjusted.

    Raises TransferNotFound, TransferReceivedAlready, and what `ledger.problem_of` returns.
    """
    await freezes.require_thawed(session)
    transfer = await queries.lock_transfer(session, transfer_id)
    if transfer is None:
        raise TransferNotFound
    if transfer.received is not None:
        raise TransferReceivedAlready
    goal = await hold_location(session, str(transfer.to_id))
    await freezes.require_not_frozen(session, goal.frozen_by)
    await queries.hold_transit(session, transfer)
    carried = [
        (leg.lot, leg.quantity)
        for leg in await ledger.list_legs(session, transfer.id)
        if leg.location_id == transfer.via_id
    ]
    for lot, quantity in carried:
        lot_id = NO_LOT if lot is None else lot.id
        await queries.reserve(session, transfer.item_id, transfer.via_id, lot_id, -quantity)
    changes = _arriving(transfer, carried, wanted, caller=caller, request_id=request_id)
    await _applied(session, changes)
    transfer.received, transfer.reason = wanted.quantity, wanted.reason
    transfer.received_at, transfer.received_by = now, caller.actor
    transfer.version += 1
    journal.record(
        session,
        TransferReceived(
            transfer_id=transfer.id,
            item_id=transfer.item_id,
            quantity=transfer.quantity,
            received=wanted.quantity,
            reason=wanted.reason,
        ),
    )
    await session.flush()  # Read back with the names of what it is about.
    return await get_transfer(session, transfer.id)


async def get_transfer(session: AsyncSession, transfer_id: UUID) -> TransferRead:
    """Return the transfer. Raises TransferNotFound."""
    rows = await queries.list_transfers(session, only=transfer_id)
    if not rows:
        raise TransferNotFound
    return to_read(rows[0])


async def list_transfers(session: AsyncSession, wanted: TransferQuery) -> TransferPage:
    """Return one page of transfers, newest first. Raises InvalidCursor."""
    after = _NEWEST.after(wanted.cursor)
    rows = await queries.list_transfers(
        session,
        is_received=None if wanted.state is None else wanted.state is TransferState.RECEIVED,
        before_id=after[0] if after else None,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row["id"],))
    return TransferPage(items=[to_read(row) for row in page], next_cursor=next_cursor)


def to_read(row: RowMapping) -> TransferRead:
    """Return the transfer as it is shown."""
    received: Decimal | None = row["received"]
    state = TransferState.IN_TRANSIT if received is None else TransferState.RECEIVED
    difference = None if received is None else received - row["quantity"]
    return TransferRead.model_validate({**row, "state": state, "difference": difference})


def _parts(transfer_id: UUID, outcome: Outcome) -> list[TransferPart]:
    """Return what left, lot by lot."""
    carried = [(NO_LOT if p.lot is None else p.lot.id, -p.quantity) for p in outcome.parts]
    return [
        TransferPart(transfer_id=transfer_id, lot_id=lot_id, quantity=quantity)
        for lot_id, quantity in carried
    ]


def _leaving(
    wanted: TransferCreate, start_id: UUID, via_id: UUID, *, caller: Principal, request_id: str
) -> Change:
    return Change(
        id=new_id(),
        kind=Kind.TRANSFER,
        item=item_reference(wanted.item),
        place=Reference(start_id, None, wanted.location),
        counterplace=Reference(via_id, None, str(via_id)),
        actor=caller.actor,
        request_id=request_id,
        quantity=-wanted.quantity,
        reference=wanted.reference,
        is_stage=True,
    )


def _arriving(
    transfer: Transfer,
    carried: Sequence[tuple[Lot | None, Decimal]],
    wanted: TransferReceive,
    *,
    caller: Principal,
    request_id: str,
) -> list[Change]:
    arrival = arrival_of(transfer.quantity, wanted.quantity)
    arrived, missing = share_arrival(carried, arrival.moved)
    last = carried[-1][0]
    found_lot = None if last is None or last.code is None else lot_name(last.code)
    via = Reference(transfer.via_id, None, str(transfer.via_id))
    goal = Reference(transfer.to_id, None, str(transfer.to_id))

    def change(
        kind: Kind,
        place: Reference,
        quantity: Decimal,
        shares: Sequence[tuple[Lot | None, Decimal]] = (),
    ) -> Change:
        differs = kind is not Kind.TRANSFER
        return Change(
            id=new_id(),
            kind=kind,
            item=Reference(transfer.item_id, None, str(transfer.item_id)),
            place=place,
            counterplace=None if differs else goal,
            actor=caller.actor,
            request_id=request_id,
            quantity=quantity,
            reason_code=MovementReason.TRANSFER_DIFFERENCE if differs else None,
            reason=wanted.reason,
            reference=transfer.reference,
            is_stage=True,
            lot=None if shares else found_lot,
            shares=tuple((lot, -share) for lot, share in shares if lot is not None),
        )

    found = (
        change(Kind.TRANSFER, via, -arrival.moved, arrived),
        change(Kind.WRITE_OFF, via, -arrival.short, missing),
        change(Kind.ADJUSTMENT, goal, arrival.over),
    )
    return [each for each in found if each.quantity]


async def _applied(session: AsyncSession, changes: list[Change]) -> list[Outcome]:
    """Apply all of the changes and return their outcomes. Raises what refuses one."""
    outcomes = await ledger.apply(session, changes, atomic=True)
    refused = next((each for each in outcomes if each.refusal is not None), None)
    if refused is not None:
        raise ledger.problem_of(refused)
    return outcomes
