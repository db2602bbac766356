"""Calling a transfer off: what is still in transit goes back to where it left, once."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import StaleCause
from services.inventory.freezes import service as freezes
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import Change, Kind, Reference
from services.inventory.locations.service import get_location, hold_location, places_of
from services.inventory.transfers import queries
from services.inventory.transfers.models import Transfer
from services.inventory.transfers.schemas import TransferCancel, TransferRead
from services.inventory.transfers.service.arriving import list_carried, total_of
from services.inventory.transfers.service.reading import (
    is_known,
    lock_known,
    read,
    require_under_way,
)
from shared import journal
from shared.contracts.inventory.transfers import TransferCancelled
from shared.errors import LocationNotAllowed
from shared.ids import new_id
from shared.principal import Principal


async def cancel_transfer(
    session: AsyncSession,
    transfer_id: UUID,
    wanted: TransferCancel,
    *,
    caller: Principal,
    request_id: str,
    now: datetime,
) -> TransferRead:
    """Move back what has not arrived, lot by lot and serial by serial; what arrived stays there.

    Raises TransferNotFound, LocationNotAllowed, TransferReceivedAlready, TransferCalledOff,
    LocationNotFound, LocationRetired, Frozen, and what `ledger.problem_of` returns.
    """
    await freezes.require_thawed(session)
    places = await places_of(session, caller)
    transfer = await lock_known(session, transfer_id, places)
    if not is_known(transfer.from_id, places):
        raise LocationNotAllowed
    require_under_way(transfer)
    start = await hold_location(session, str(transfer.from_id))
    await freezes.require_not_frozen(session, start.frozen_by, places=places)
    parts = await queries.list_parts(session, transfer.id)
    shares = [each.share for each in await list_carried(session, transfer, parts) if each.quantity]
    via = await get_location(session, transfer.via_id)
    change = Change(
        id=new_id(),
        kind=Kind.TRANSFER,
        item=Reference(transfer.item_id, None, str(transfer.item_id)),
        place=Reference(via.id, None, via.name),
        counterplace=Reference(start.id, None, start.name),
        actor=caller.actor,
        request_id=request_id,
        quantity=-total_of(shares),
        places=None if places is None else places | {via.id},
        reason=wanted.reason,
        reference=transfer.reference,
        is_stage=True,
        is_held=True,
        shares=tuple((lot, -share) for lot, share in shares if lot is not None),
    )
    ledger.require_granted(await ledger.apply(session, [change], atomic=True))
    _call_off(session, transfer, total_of(shares), wanted.reason, actor=caller.actor, now=now)
    await approvals.close_overtaken(session, [transfer.id], StaleCause.OVER, now=now)
    await session.flush()  # Read back with the names of what it is about.
    return await read(session, transfer.id, places)


def _call_off(
    session: AsyncSession,
    transfer: Transfer,
    returned: Decimal,
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Write down that nothing of the transfer is under way any more, and why."""
    transfer.returned = returned
    transfer.received = transfer.arrived + transfer.added
    transfer.received_at = max(now, transfer.dispatched_at)  # Clocks may be set back.
    transfer.received_by = actor
    transfer.reason = reason
    transfer.version += 1
    entry = TransferCancelled(
        transfer_id=transfer.id,
        item_id=transfer.item_id,
        quantity=transfer.quantity,
        received=transfer.received,
        returned=returned,
        reason=reason,
    )
    journal.record(session, entry)
