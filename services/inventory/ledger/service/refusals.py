"""From a refusal to the problem that tells of it."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypedDict

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.ledger.errors import (
    BalanceTooLarge,
    CountTooLow,
    InsufficientStock,
    InsufficientStockThen,
    InsufficientUnexpired,
    InTransit,
    LotExpired,
    LotExpiryDiffers,
    LotNeeded,
    LotNotFound,
    LotsNotTracked,
    MovementInFuture,
    QuantityInexact,
    SerialsDiffer,
    SerialsInStock,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
    TransferInPlace,
)
from services.inventory.ledger.rules import Outcome, Reference, Refusal, Spot
from services.inventory.locations.errors import LocationNotFound, LocationRetired
from services.inventory.openings.errors import DatedBeforeLedger
from services.inventory.periods.errors import InClosedPeriod
from shared.errors import Problem
from shared.money import plain


class _Told(TypedDict):
    """What every refusal for lack of stock tells."""

    item: str
    location: str
    available: Decimal
    on_hand: Decimal
    reserved: Decimal
    elsewhere: list[dict[str, str]]
    next_receipt: dict[str, str] | None


def require_granted(outcomes: Iterable[Outcome]) -> None:
    """Raise the problem that tells why the first of these was refused, if one was."""
    for outcome in outcomes:
        if outcome.is_refused_itself:
            raise problem_of(outcome)


def problem_of(outcome: Outcome) -> Problem:
    """Return the problem that tells why a change was refused."""
    if outcome.refusal is None:
        raise ValueError("nothing was refused")
    return _PROBLEMS.get(outcome.refusal, _short)(outcome)


def _item(outcome: Outcome) -> str:
    return outcome.spot.code or outcome.change.item.text


def _counterplace(outcome: Outcome) -> str:
    """Return where a transfer goes; where it is from for anything else."""
    counterplace = outcome.change.counterplace
    return _place(outcome) if counterplace is None else _named(counterplace, outcome.counterspot)


def _place(outcome: Outcome) -> str:
    return _named(outcome.change.place, outcome.spot)


def _named(place: Reference, spot: Spot | None) -> str:
    """Return a location that was found, as it was named; where that was by its id, its name."""
    name = None if place.id is None or spot is None else spot.place
    return name or place.text


def _frozen(outcome: Outcome) -> Problem:
    if outcome.notice is None:
        raise ValueError("whom a freeze refuses is told of it")
    return Frozen.by(outcome.notice, outcome.change.places)


def _closed(outcome: Outcome) -> Problem:
    if outcome.fits_from is None:
        raise ValueError("whom a closed period refuses is told from when on he may record")
    return InClosedPeriod(open_from=outcome.fits_from)


def _archived(outcome: Outcome) -> Problem:
    if outcome.fits_from is None:
        raise ValueError("who dates before the ledger is told from when on he may record")
    return DatedBeforeLedger(kept_from=outcome.fits_from)


def _location(outcome: Outcome) -> str:
    """Return the end that refuses."""
    return _counterplace(outcome) if outcome.is_at_counterplace else _place(outcome)


def _short(outcome: Outcome) -> Problem:
    """Return what there was too little of, now or at an instant since, and where else it lies."""
    comes = outcome.next_receipt
    told = _Told(
        item=_item(outcome),
        location=_location(outcome),
        available=outcome.available,
        on_hand=outcome.on_hand + outcome.expired,
        reserved=outcome.reserved,
        elsewhere=[
            {"location": each.location, "available": plain(each.available)}
            for each in outcome.elsewhere
        ],
        next_receipt=None if comes is None else comes.as_told(),
    )
    if outcome.counted is not None:
        least = outcome.counted - outcome.quantity - outcome.available
        return CountTooLow(**told, requested=outcome.counted, least=least)
    requested = abs(outcome.quantity)
    if outcome.fits_from is not None:
        return InsufficientStockThen(**told, requested=requested, fits_from=outcome.fits_from)
    if outcome.expired:
        return InsufficientUnexpired(**told, requested=requested, expired=outcome.expired)
    return InsufficientStock(**told, requested=requested)


def _of_unit(outcome: Outcome) -> Problem:
    """Return why a quantity in the unit that was named is none of the stock unit."""
    change, spot, unit = outcome.change, outcome.spot, outcome.given_unit
    if unit is None:
        named = change.unit or spot.named_unit or ""
        return UnknownUnit(item=_item(outcome), unit=named, units=spot.units)
    return QuantityInexact(
        item=_item(outcome),
        quantity=change.asked,
        unit=unit.unit,
        holds=unit.quantity,
        stock_unit=spot.unit or "",
    )


def _of_lot(outcome: Outcome) -> Problem:
    """Return what is wrong with the lot that was named."""
    item, named, lot = _item(outcome), outcome.change.lot, outcome.lot
    code = (lot.code if lot is not None else None) or (named.text if named is not None else "")
    if lot is None:
        return LotNotFound(item=item, lot=code)
    requested = outcome.change.expires_on
    if requested is not None:
        return LotExpiryDiffers(item=item, lot=code, expires_on=lot.expires_on, requested=requested)
    if lot.expires_on is None:
        raise ValueError("what expired has an expiry")
    return LotExpired(item=item, lot=code, expires_on=lot.expires_on)


def _of_serials(outcome: Outcome) -> Problem:
    """Return which serials cannot move, and where they lie as far as who asks may know."""
    kind = SerialsInStock if outcome.refusal is Refusal.SERIALS_IN_STOCK else SerialsNotThere
    may_use = outcome.change.may_use
    return kind(
        item=_item(outcome),
        location=_place(outcome),
        failing=len(outcome.serials),
        first=outcome.serials[0].serial,
        serials=[
            {
                "serial": each.serial,
                "reason": each.reason.value,
                "location": each.place if each.place_id and may_use(each.place_id) else None,
            }
            for each in outcome.serials
        ],
    )


def _differing(outcome: Outcome) -> Problem:
    named = len(outcome.change.serials or ())
    return SerialsDiffer(item=_item(outcome), requested=abs(outcome.quantity), named=named)


_PROBLEMS: Mapping[Refusal, Callable[[Outcome], Problem]] = {
    Refusal.UNKNOWN_ITEM: lambda it: ItemNotFound(item=it.change.item.text),
    Refusal.RETIRED_ITEM: lambda it: ItemRetired(item=_item(it)),
    Refusal.UNKNOWN_PLACE: lambda it: LocationNotFound(location=it.change.place.text),
    Refusal.UNKNOWN_COUNTERPLACE: lambda it: LocationNotFound(
        location=(it.change.counterplace or it.change.place).text
    ),
    Refusal.RETIRED_PLACE: lambda it: LocationRetired(location=_place(it)),
    Refusal.RETIRED_COUNTERPLACE: lambda it: LocationRetired(location=_counterplace(it)),
    Refusal.SAME_PLACE: lambda _: TransferInPlace(),
    Refusal.IN_FUTURE: lambda _: MovementInFuture(),
    Refusal.UNKNOWN_UNIT: _of_unit,
    Refusal.INEXACT: _of_unit,
    Refusal.IN_TRANSIT: lambda _: InTransit(),
    Refusal.NO_LOTS: lambda it: LotsNotTracked(item=_item(it)),
    Refusal.LOT_NEEDED: lambda it: LotNeeded(item=_item(it)),
    Refusal.UNKNOWN_LOT: _of_lot,
    Refusal.EXPIRY_DIFFERS: _of_lot,
    Refusal.LOT_EXPIRED: _of_lot,
    Refusal.NO_SERIALS: lambda it: SerialsNotTracked(item=_item(it)),
    Refusal.SERIALS_NEEDED: lambda it: SerialsNeeded(item=_item(it)),
    Refusal.SERIALS_DIFFER: _differing,
    Refusal.SERIALS_IN_STOCK: _of_serials,
    Refusal.SERIALS_NOT_THERE: _of_serials,
    Refusal.FROZEN: _frozen,
    Refusal.PERIOD_CLOSED: _closed,
    Refusal.ARCHIVED: _archived,
    Refusal.TOO_MUCH: lambda it: BalanceTooLarge(item=_item(it), location=_location(it)),
}
