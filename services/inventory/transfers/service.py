"""Transfers in two stages: what leaves one location is in transit until another receives it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import (
    InTransit,
    SerialsDiffer,
    SerialsNeeded,
    SerialsNotTracked,
    TransferInPlace,
)
from services.inventory.ledger.rules import (
    NO_LOT,
    TRACKS_SERIALS,
    Change,
    Kind,
    Lot,
    LotName,
    MovementReason,
    Outcome,
    Reference,
    Refusal,
    item_reference,
    lot_name,
)
from services.inventory.ledger.service import Leg
from services.inventory.locations.rules import LocationType
from services.inventory.locations.service import get_location, get_named_location, hold_location
from services.inventory.transfers import queries
from services.inventory.transfers.errors import (
    TransferNotFound,
    TransferReceivedAlready,
    TransitMissing,
)
from services.inventory.transfers.models import Transfer, TransferPart
from services.inventory.transfers.rules import (
    TransferState,
    arrival_of,
    part_arrival,
    share_arrival,
)
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
from shared.identifiers import identifier_key
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Principal

_NEWEST = Keyset("newest", UUID)
Shares = Sequence[tuple[Lot | None, Decimal]]  # How much of each lot, or of the one of no lot.


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
    carried = {NO_LOT if p.lot is None else p.lot.id: -p.quantity for p in outcome.parts}
    await queries.reserve(session, outcome.spot.item_id, via_id, carried)
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
        missing_serials=[],
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

    Raises TransferNotFound, TransferReceivedAlready, SerialsNotTracked, SerialsNeeded,
    SerialsDiffer, and what `ledger.problem_of` returns.
    """
    await freezes.require_thawed(session)
    transfer = await queries.lock_transfer(session, transfer_id)
    if transfer is None:
        raise TransferNotFound
    if transfer.received is not None:
        raise TransferReceivedAlready
    goal = await hold_location(session, str(transfer.to_id))
    await freezes.require_not_frozen(session, goal.frozen_by)
    legs = await ledger.list_legs(session, transfer.id)
    carried = [leg for leg in legs if leg.location_id == transfer.via_id]
    arrival = _arrival(transfer, carried, wanted)
    changes = _arriving(transfer, arrival, wanted, caller=caller, request_id=request_id)
    await _applied(session, changes)
    transfer.received, transfer.reason = arrival.received, wanted.reason
    transfer.received_at, transfer.received_by = now, caller.actor
    transfer.version += 1
    transfer.missing_serials = arrival.missing_serials
    journal.record(
        session,
        TransferReceived(
            transfer_id=transfer.id,
            item_id=transfer.item_id,
            quantity=transfer.quantity,
            received=arrival.received,
            reason=wanted.reason,
            missing_serials=tuple(arrival.missing_serials),
            added_serials=arrival.added,
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
    """Return what left, lot by lot; serials, which do not expire, as one."""
    carried = [(NO_LOT if p.lot is None else p.lot.id, -p.quantity) for p in outcome.parts]
    if outcome.spot.has_serials:
        carried = [(NO_LOT, -outcome.quantity)]
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
        quantity=-(wanted.quantity or Decimal(len(wanted.serials or ()))),
        serials=None if wanted.serials is None else tuple(map(lot_name, wanted.serials)),
        is_told_by_serials=wanted.quantity is None,
        reference=wanted.reference,
        is_stage=True,
    )


class _Arrival(NamedTuple):
    """What of a transfer arrived and what is missing, lot by lot, and what came beside it."""

    received: Decimal  # In stock units.
    arrived: Shares
    missing: Shares
    over: Decimal
    lot: LotName | None  # Of what is over.
    missing_serials: list[str]
    added: tuple[str, ...]  # Serials that are over.


def _arrival(transfer: Transfer, carried: Sequence[Leg], wanted: TransferReceive) -> _Arrival:
    """Return what arrived. Raises SerialsNotTracked, SerialsNeeded, SerialsDiffer."""
    lots = [(leg.lot, leg.quantity) for leg in carried]
    item, has_serials = carried[0].item, carried[0].tracking == TRACKS_SERIALS
    if wanted.serials is not None and not has_serials:
        raise SerialsNotTracked(item=item)
    if wanted.serials is not None:
        named = Decimal(len(wanted.serials))
        if wanted.quantity not in {None, named}:
            requested = wanted.quantity or Decimal(0)
            raise SerialsDiffer(item=item, requested=requested, named=len(wanted.serials))
        codes = [leg.lot.code or "" for leg in carried if leg.lot is not None]
        keys, given = map(identifier_key, codes), map(identifier_key, wanted.serials)
        arrived, missing, more = part_arrival(lots, list(keys), list(given))
        added = tuple(wanted.serials[n] for n in more)
        lost = [lot.code for lot, _ in missing if lot is not None and lot.code is not None]
        return _Arrival(named, arrived, missing, Decimal(len(added)), None, lost, added)
    received = wanted.quantity or Decimal(0)
    if has_serials and received != transfer.quantity:
        raise SerialsNeeded(item=item)
    arrival = arrival_of(transfer.quantity, received)
    arrived, missing = share_arrival(lots, arrival.moved)
    last = lots[-1][0]
    over_lot = None if last is None or last.code is None else lot_name(last.code)
    return _Arrival(received, arrived, missing, arrival.over, over_lot, [], ())


def _arriving(
    transfer: Transfer,
    arrival: _Arrival,
    wanted: TransferReceive,
    *,
    caller: Principal,
    request_id: str,
) -> list[Change]:
    via = Reference(transfer.via_id, None, str(transfer.via_id))
    goal = Reference(transfer.to_id, None, str(transfer.to_id))

    def change(kind: Kind, place: Reference, quantity: Decimal, shares: Shares = ()) -> Change:
        differs = kind is not Kind.TRANSFER
        serials = tuple(map(lot_name, arrival.added)) if arrival.added and not shares else None
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
            is_held=bool(shares),
            lot=None if shares else arrival.lot,
            shares=tuple((lot, -share) for lot, share in shares if lot is not None),
            serials=serials,
        )

    found = (
        change(Kind.TRANSFER, via, -_total(arrival.arrived), arrival.arrived),
        change(Kind.WRITE_OFF, via, -_total(arrival.missing), arrival.missing),
        change(Kind.ADJUSTMENT, goal, arrival.over),
    )
    return [each for each in found if each.quantity]


def _total(shares: Shares) -> Decimal:
    return sum((quantity for _, quantity in shares), Decimal(0))


async def _applied(session: AsyncSession, changes: list[Change]) -> list[Outcome]:
    """Apply all of the changes and return their outcomes. Raises what refuses one."""
    outcomes = await ledger.apply(session, changes, atomic=True)
    known = {None, Refusal.HELD_BACK}
    refused = next((each for each in outcomes if each.refusal not in known), None)
    if refused is not None:
        raise ledger.problem_of(refused)
    return outcomes
