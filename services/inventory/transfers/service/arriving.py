"""What a delivery of a transfer brought, what of it is missing, and what is more."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.service import get_item
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import SerialsDiffer, SerialsNeeded, SerialsNotTracked
from services.inventory.ledger.rules import NO_LOT, TRACKS_SERIALS, Lot, LotName, lot_name
from services.inventory.ledger.service import Leg
from services.inventory.transfers.errors import TransferOverReceived
from services.inventory.transfers.models import Transfer, TransferPart
from services.inventory.transfers.rules import arrival_of, part_arrival, share_arrival
from services.inventory.transfers.schemas import TransferReceive
from shared.identifiers import identifier_key

_NOTHING = Decimal(0)
Shares = Sequence[tuple[Lot | None, Decimal]]  # How much of each lot, or of the one of no lot.


class Carried(NamedTuple):
    """What of a transfer is still under way of one lot, or of no lot."""

    leg: Leg  # By which it was dispatched.
    quantity: Decimal

    @property
    def share(self) -> tuple[Lot | None, Decimal]:
        """The lot, with how much of it is under way."""
        return self.leg.lot, self.quantity


class Arrived(NamedTuple):
    """What of a transfer arrived and what is missing, lot by lot, and what came beside it."""

    arrived: Shares
    missing: Shares
    over: Decimal
    lot: LotName | None = None  # Of what is over.
    added: tuple[str, ...] = ()  # Serials that are over.
    missing_serials: tuple[str, ...] = ()

    def of_some(self) -> "Arrived":
        """Return the same of a delivery that is not the last: what is missing may still come."""
        return self._replace(missing=())

    @property
    def total(self) -> Decimal:
        """What arrived, dispatched or not."""
        return total_of(self.arrived) + self.over


async def list_carried(
    session: AsyncSession, transfer: Transfer, parts: Mapping[UUID, TransferPart]
) -> list[Carried]:
    """Return what has not arrived yet, in the order in which it was dispatched."""
    carried = []
    for leg in await ledger.list_legs(session, transfer.id):
        if leg.location_id == transfer.via_id:
            part = parts[NO_LOT if leg.lot is None else leg.lot.id]
            carried.append(Carried(leg, part.quantity - part.arrived))
    return carried


async def convert_delivered(
    session: AsyncSession, transfer: Transfer, wanted: TransferReceive
) -> Decimal | None:
    """Return how many stock units are said to have arrived; None where serials alone say it.

    Without a unit these are stock units. The one that the transfer was dispatched in is what it was
    then. Raises UnknownUnit, QuantityInexact.
    """
    if wanted.quantity is None or wanted.unit is None:
        return wanted.quantity
    item = await get_item(session, transfer.item_id)
    then, given = transfer.given_unit, transfer.given_quantity
    is_same = then and given and identifier_key(wanted.unit) == identifier_key(then)
    holds = transfer.quantity / given if given and is_same else None
    return ledger.in_stock_units(item, wanted.quantity, wanted.unit, holds=holds)


def judge_arrival(
    transfer: Transfer,
    carried: Sequence[Carried],
    wanted: TransferReceive,
    quantity: Decimal | None,
) -> Arrived:
    """Return what arrived.

    Raises SerialsNotTracked, SerialsNeeded, SerialsDiffer; TransferOverReceived where it is more
    than what is under way, and that is not said to be meant.
    """
    found = _arrival(transfer, carried, wanted, quantity)
    if found.over and not wanted.over_received:
        raise TransferOverReceived(
            item=carried[0].leg.item,
            sent=transfer.quantity,
            already_received=transfer.arrived,
            remaining=transfer.quantity - transfer.arrived,
            requested=found.total,
            serials=list(found.added),
        )
    return found


def total_of(shares: Shares) -> Decimal:
    """Return how much the shares of lots are together."""
    return sum((quantity for _, quantity in shares), _NOTHING)


def _arrival(
    transfer: Transfer,
    carried: Sequence[Carried],
    wanted: TransferReceive,
    quantity: Decimal | None,
) -> Arrived:
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
        return Arrived(arrived, missing, Decimal(len(added)), None, added, lost)
    received, under_way = quantity or _NOTHING, transfer.quantity - transfer.arrived
    if has_serials and received not in {under_way, _NOTHING}:
        raise SerialsNeeded(item=item)
    arrival = arrival_of(under_way, received)
    arrived, missing = share_arrival(lots, arrival.moved)
    last = carried[-1].leg.lot
    over_lot = None if last is None or last.code is None else lot_name(last.code)
    lost = _codes(missing) if has_serials else ()
    return Arrived(arrived, missing, arrival.over, over_lot, (), lost)


def _codes(shares: Shares) -> tuple[str, ...]:
    return tuple("" if lot is None else lot.code or "" for lot, _ in shares)
