"""What arrives, in one delivery or several, until nothing is under way any more."""

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
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    NO_LOT,
    Change,
    Kind,
    MovementReason,
    Reference,
    lot_name,
)
from services.inventory.locations.models import Location
from services.inventory.locations.service import get_location, hold_location, places_of
from services.inventory.movements.schemas import GivenRead
from services.inventory.transfers import queries
from services.inventory.transfers.errors import TransferCalledOff, TransferReceivedAlready
from services.inventory.transfers.models import Transfer, TransferPart
from services.inventory.transfers.schemas import TransferReceiptRead, TransferReceive
from services.inventory.transfers.service.arriving import (
    Arrived,
    Shares,
    convert_delivered,
    judge_arrival,
    list_carried,
    total_of,
)
from services.inventory.transfers.service.reading import (
    is_known,
    lock_known,
    read,
    require_under_way,
)
from shared import journal
from shared.contracts.inventory.transfers import TransferPartlyReceived, TransferReceived
from shared.errors import LocationNotAllowed
from shared.ids import new_id
from shared.principal import Places, Principal
from shared.security.sealing import Sealer


class _Receipt(NamedTuple):
    """A delivery of a transfer, as it is to be moved and written down."""

    transfer: Transfer
    parts: dict[UUID, TransferPart]
    arrival: Arrived
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
) -> TransferReceiptRead | ApprovalRead:
    """Move what arrived out of transit; once the delivery is the last, settle the difference.

    Then what is missing is written off, and what is more is adjusted: that is worth no more than
    the caller may change alone, or all of it waits for the approval that is returned. Raises
    TransferNotFound, LocationNotAllowed, TransferReceivedAlready, TransferCalledOff, UnknownUnit,
    QuantityInexact, SerialsNotTracked, SerialsNeeded, SerialsDiffer, TransferOverReceived, and what
    `ledger.problem_of` returns.
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
    return await _told(session, receipt, wanted, by)


async def apply_approved_receipt(
    session: AsyncSession, sealer: Sealer, approved: Approved
) -> list[UUID]:
    """Receive what was said to have arrived last. Raises what `approvals.apply_approved` raises."""
    wanted = TransferReceive.model_validate(approved.content["receipt"])
    wanted = wanted.model_copy(update={"over_received": True})  # What is more is in its lines.
    at = approved.lines[0].occurred_at
    by = _By(approved.requested_by, approved.request_id, approved.places, at)
    try:
        receipt = await _judged(session, UUID(approved.content["transfer_id"]), wanted, by)
    except (TransferReceivedAlready, TransferCalledOff) as error:
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
    require_under_way(transfer)
    goal = await hold_location(session, str(transfer.to_id))
    await freezes.require_not_frozen(session, goal.frozen_by, places=by.places)
    via = await get_location(session, transfer.via_id)
    parts = await queries.list_parts(session, transfer.id)
    carried = await list_carried(session, transfer, parts)
    quantity = await convert_delivered(session, transfer, wanted)
    arrival = judge_arrival(transfer, carried, wanted, quantity)
    is_last = wanted.final or not arrival.missing
    if not is_last:
        arrival = arrival.of_some()
    known = by._replace(places=None if by.places is None else by.places | {via.id})
    changes = _arriving(transfer, arrival, wanted, via=via, goal=goal, by=known)
    return _Receipt(transfer, parts, arrival, changes, wanted.reason, is_last)


async def _told(
    session: AsyncSession, receipt: _Receipt, wanted: TransferReceive, by: _By
) -> TransferReceiptRead:
    """Return the transfer as it is now, with what the delivery brought."""
    transfer = await read(session, receipt.transfer.id, by.places)
    given = None
    if wanted.unit is not None and wanted.quantity is not None:
        given = GivenRead(quantity=wanted.quantity, unit=wanted.unit)
    return TransferReceiptRead(
        **dict(transfer), delivered=receipt.arrival.total, delivered_as=given
    )


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
    transfer.arrived += total_of(arrival.arrived)
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


def _arriving(
    transfer: Transfer,
    arrival: Arrived,
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
        change(Kind.TRANSFER, here, -total_of(arrival.arrived), arrival.arrived),
        change(Kind.WRITE_OFF, here, -total_of(arrival.missing), arrival.missing),
        change(Kind.ADJUSTMENT, there, arrival.over),
    )
    return [each for each in found if each.quantity]


def _close(
    session: AsyncSession,
    transfer: Transfer,
    arrival: Arrived,
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


def _partly(transfer: Transfer, arrival: Arrived) -> TransferPartlyReceived:
    return TransferPartlyReceived(
        transfer_id=transfer.id,
        item_id=transfer.item_id,
        quantity=transfer.quantity,
        received=arrival.total,
        under_way=transfer.quantity - transfer.arrived,
        added_serials=arrival.added,
    )
