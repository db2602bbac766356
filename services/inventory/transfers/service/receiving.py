"""What arrives, in one delivery or several, until nothing is under way any more."""

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
    is_weighed,
)
from services.inventory.approvals.schemas import ApprovalRead
from services.inventory.approvals.service import Approved, Asked
from services.inventory.freezes import service as freezes
from services.inventory.items.service import get_item
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import (
    SerialsDiffer,
    SerialsNeeded,
    SerialsNotTracked,
)
from services.inventory.ledger.rules import (
    NO_LOT,
    TRACKS_SERIALS,
    Change,
    Kind,
    Lot,
    LotName,
    MovementReason,
    Reference,
    lot_name,
)
from services.inventory.ledger.service import Leg
from services.inventory.locations.models import Location
from services.inventory.locations.service import get_location, hold_location, places_of
from services.inventory.transfers import queries
from services.inventory.transfers.errors import TransferReceivedAlready
from services.inventory.transfers.models import Transfer, TransferPart
from services.inventory.transfers.rules import arrival_of, part_arrival, share_arrival
from services.inventory.transfers.schemas import TransferRead, TransferReceive
from services.inventory.transfers.service.reading import is_known, lock_known, read
from shared import journal
from shared.contracts.inventory.transfers import TransferPartlyReceived, TransferReceived
from shared.errors import LocationNotAllowed
from shared.identifiers import identifier_key
from shared.ids import new_id
from shared.principal import Places, Principal
from shared.security.sealing import Sealer

_NOTHING = Decimal(0)
Shares = Sequence[tuple[Lot | None, Decimal]]  # How much of each lot, or of the one of no lot.


class _Carried(NamedTuple):
    """What of a transfer is still under way of one lot, or of no lot."""

    leg: Leg  # By which it was dispatched.
    quantity: Decimal

    @property
    def share(self) -> tuple[Lot | None, Decimal]:
        return self.leg.lot, self.quantity


class _Arrival(NamedTuple):
    """What of a transfer arrived and what is missing, lot by lot, and what came beside it."""

    arrived: Shares
    missing: Shares
    over: Decimal
    lot: LotName | None = None  # Of what is over.
    added: tuple[str, ...] = ()  # Serials that are over.
    missing_serials: tuple[str, ...] = ()

    def of_some(self) -> "_Arrival":
        """Return the same of a delivery that is not the last: what is missing may still come."""
        return self._replace(missing=())

    @property
    def total(self) -> Decimal:
        return _total(self.arrived) + self.over


class _Receipt(NamedTuple):
    """A delivery of a transfer, as it is to be moved and written down."""

    transfer: Transfer
    parts: dict[UUID, TransferPart]
    arrival: _Arrival
    changes: list[Change]
    reason: str | None
    is_last: bool


class Receiving(NamedTuple):
    """Who receives, by which request, what he may change alone, and how he is told."""

    caller: Principal
    request_id: str
    policy: ApprovalPolicy
    now: datetime
    language: str


class _By(NamedTuple):
    """Whose movements these are, by which request, at which known places, and when; None is now."""

    actor: str
    request_id: str
    places: Places
    occurred_at: datetime | None = None


async def receive_transfer(
    session: AsyncSession,
    sealer: Sealer,
    transfer_id: UUID,
    wanted: TransferReceive,
    receiver: Receiving,
) -> TransferRead | ApprovalRead:
    """Move what arrived out of transit; once the delivery is the last, settle the difference.

    Then what is missing is written off, and what is more is adjusted: that is worth no more than
    the caller may change alone, or all of it waits for the approval that is returned. Raises
    TransferNotFound, LocationNotAllowed, TransferReceivedAlready, UnknownUnit, QuantityInexact,
    SerialsNotTracked, SerialsNeeded, SerialsDiffer, and what `ledger.problem_of` returns.
    """
    caller, _, policy, now, _ = receiver
    by = _By(caller.actor, receiver.request_id, await places_of(session, caller))
    receipt = await _judged(session, transfer_id, wanted, by)
    if any(is_weighed(change) for change in receipt.changes):
        outcomes = await ledger.foresee(session, receipt.changes, atomic=True)
        said = wanted.model_dump(mode="json", exclude_unset=True)
        content = {"transfer_id": str(transfer_id), "receipt": said}
        asked = Asked(ApprovalKind.RECEIPT, content, outcomes, subject_id=transfer_id)
        approval = await approvals.gate(
            session, sealer, asked, policy=policy, caller=caller, now=now
        )
        if approval is not None:
            return approvals.to_awaited(
                approval, sealer, caller=caller, now=now, language=receiver.language
            )
    ledger.require_granted(await ledger.apply(session, receipt.changes, atomic=True))
    await _settle(session, receipt, by, now)
    return await read(session, transfer_id, by.places)


async def apply_approved_receipt(
    session: AsyncSession, sealer: Sealer, approved: Approved
) -> list[UUID]:
    """Receive what was said to have arrived last. Raises what `approvals.apply_approved` raises."""
    wanted = TransferReceive.model_validate(approved.content["receipt"])
    at = approved.lines[0].occurred_at
    by = _By(approved.requested_by, approved.request_id, approved.places, at)
    try:
        receipt = await _judged(session, UUID(approved.content["transfer_id"]), wanted, by)
    except TransferReceivedAlready as error:
        raise ApprovalStale(cause=StaleCause.OVER) from error
    await approvals.apply_approved(session, sealer, approved, receipt.changes)
    await _settle(session, receipt, by, at, approved.approval_id)
    return [change.id for change in receipt.changes]


async def _judged(
    session: AsyncSession, transfer_id: UUID, wanted: TransferReceive, by: _By
) -> _Receipt:
    """Return what a delivery moves, of a transfer that is locked."""
    await freezes.require_thawed(session)
    transfer = await lock_known(session, transfer_id, by.places)
    if not is_known(transfer.to_id, by.places):
        raise LocationNotAllowed
    if transfer.received is not None:
        raise TransferReceivedAlready
    goal = await hold_location(session, str(transfer.to_id))
    await freezes.require_not_frozen(session, goal.frozen_by, places=by.places)
    via = await get_location(session, transfer.via_id)
    parts = await queries.list_parts(session, transfer.id)
    carried = await _list_carried(session, transfer, parts)
    quantity = await _stock_units(session, transfer, wanted)
    arrival = _arrival(transfer, carried, wanted, quantity)
    is_last = wanted.final or not arrival.missing
    if not is_last:
        arrival = arrival.of_some()
    known = by._replace(places=None if by.places is None else by.places | {via.id})
    changes = _arriving(transfer, arrival, wanted, via=via, goal=goal, by=known)
    return _Receipt(transfer, parts, arrival, changes, wanted.reason, is_last)


async def _settle(
    session: AsyncSession,
    receipt: _Receipt,
    by: _By,
    now: datetime,
    approval_id: UUID | None = None,
) -> None:
    """Write down what arrived, and with the last delivery that nothing is under way any more.

    Of what somebody was to approve before, other things would arrive by now, or nothing.
    """
    transfer, arrival = receipt.transfer, receipt.arrival
    for lot, share in arrival.arrived:
        receipt.parts[NO_LOT if lot is None else lot.id].arrived += share
    transfer.arrived += _total(arrival.arrived)
    transfer.added += arrival.over
    transfer.reason = receipt.reason or transfer.reason
    transfer.version += 1
    if receipt.is_last:
        _close(session, transfer, arrival, actor=by.actor, now=now)
    else:
        journal.record(session, _partly(transfer, arrival))
    cause = StaleCause.OVER if receipt.is_last else StaleCause.QUANTITY
    await approvals.close_overtaken(session, [transfer.id], cause, except_id=approval_id, now=now)
    await session.flush()  # Read back with the names of what it is about.


async def _list_carried(
    session: AsyncSession, transfer: Transfer, parts: dict[UUID, TransferPart]
) -> list[_Carried]:
    """Return what has not arrived yet, in the order in which it was dispatched."""
    carried = []
    for leg in await ledger.list_legs(session, transfer.id):
        if leg.location_id == transfer.via_id:
            part = parts[NO_LOT if leg.lot is None else leg.lot.id]
            carried.append(_Carried(leg, part.quantity - part.arrived))
    return carried


async def _stock_units(
    session: AsyncSession, transfer: Transfer, wanted: TransferReceive
) -> Decimal | None:
    """Return how many stock units are said to have arrived; None where serials alone say it.

    A unit is what it was when the transfer was dispatched in it. Raises UnknownUnit,
    QuantityInexact.
    """
    unit = wanted.unit or transfer.given_unit
    if wanted.quantity is None or unit is None:
        return wanted.quantity
    item = await get_item(session, transfer.item_id)
    then, given = transfer.given_unit, transfer.given_quantity
    is_same = then and given and identifier_key(unit) == identifier_key(then)
    holds = transfer.quantity / given if given and is_same else None
    return ledger.in_stock_units(item, wanted.quantity, unit, holds=holds)


def _arrival(
    transfer: Transfer,
    carried: Sequence[_Carried],
    wanted: TransferReceive,
    quantity: Decimal | None,
) -> _Arrival:
    """Return what arrived. Raises SerialsNotTracked, SerialsNeeded, SerialsDiffer."""
    item, has_serials = carried[0].leg.item, carried[0].leg.tracking == TRACKS_SERIALS
    lots = [each.share for each in carried if each.quantity]
    if wanted.serials is not None and not has_serials:
        raise SerialsNotTracked(item=item)
    if wanted.serials is not None:
        named = len(wanted.serials)
        if quantity not in {None, Decimal(named)}:
            raise SerialsDiffer(item=item, requested=quantity or _NOTHING, named=named)
        given = [identifier_key(serial) for serial in wanted.serials]
        keys = [identifier_key(code) for code in _codes(lots)]
        arrived, missing, more = part_arrival(lots, keys, given)
        added, lost = tuple(wanted.serials[n] for n in more), _codes(missing)
        return _Arrival(arrived, missing, Decimal(len(added)), None, added, lost)
    received, under_way = quantity or _NOTHING, transfer.quantity - transfer.arrived
    if has_serials and received not in {under_way, _NOTHING}:
        raise SerialsNeeded(item=item)
    arrival = arrival_of(under_way, received)
    arrived, missing = share_arrival(lots, arrival.moved)
    last = carried[-1].leg.lot
    over_lot = None if last is None or last.code is None else lot_name(last.code)
    lost = _codes(missing) if has_serials else ()
    return _Arrival(arrived, missing, arrival.over, over_lot, (), lost)


def _codes(shares: Shares) -> tuple[str, ...]:
    return tuple("" if lot is None else lot.code or "" for lot, _ in shares)


def _arriving(
    transfer: Transfer,
    arrival: _Arrival,
    wanted: TransferReceive,
    *,
    via: Location,
    goal: Location,
    by: _By,
) -> list[Change]:
    here = Reference(via.id, None, via.name)
    there = Reference(goal.id, None, goal.name)

    def change(kind: Kind, place: Reference, quantity: Decimal, shares: Shares = ()) -> Change:
        differs = kind is not Kind.TRANSFER
        serials = tuple(map(lot_name, arrival.added)) if arrival.added and not shares else None
        return Change(
            id=new_id(),
            kind=kind,
            item=Reference(transfer.item_id, None, str(transfer.item_id)),
            place=place,
            counterplace=None if differs else there,
            actor=by.actor,
            request_id=by.request_id,
            quantity=quantity,
            occurred_at=by.occurred_at,
            places=by.places,
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
        change(Kind.TRANSFER, here, -_total(arrival.arrived), arrival.arrived),
        change(Kind.WRITE_OFF, here, -_total(arrival.missing), arrival.missing),
        change(Kind.ADJUSTMENT, there, arrival.over),
    )
    return [each for each in found if each.quantity]


def _close(
    session: AsyncSession,
    transfer: Transfer,
    arrival: _Arrival,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Let nothing of the transfer be under way any more."""
    transfer.received = transfer.arrived + transfer.added
    transfer.received_at = max(now, transfer.dispatched_at)  # Clocks may be set back.
    transfer.received_by = actor
    transfer.missing_serials = list(arrival.missing_serials)
    journal.record(
        session,
        TransferReceived(
            transfer_id=transfer.id,
            item_id=transfer.item_id,
            quantity=transfer.quantity,
            received=transfer.received,
            reason=transfer.reason,
            missing_serials=arrival.missing_serials,
            added_serials=arrival.added,
        ),
    )


def _partly(transfer: Transfer, arrival: _Arrival) -> TransferPartlyReceived:
    return TransferPartlyReceived(
        transfer_id=transfer.id,
        item_id=transfer.item_id,
        quantity=transfer.quantity,
        received=arrival.total,
        under_way=transfer.quantity - transfer.arrived,
        added_serials=arrival.added,
    )


def _total(shares: Shares) -> Decimal:
    return sum((quantity for _, quantity in shares), _NOTHING)
