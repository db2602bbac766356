"""From a refusal to the problem that tells of it."""

from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.ledger.errors import (
    BalanceTooLarge,
    CountTooLow,
    InsufficientStock,
    InsufficientStockThen,
    MovementInFuture,
    QuantityInexact,
    TransferInPlace,
)
from services.inventory.ledger.rules import Outcome, Refusal
from services.inventory.locations.errors import LocationNotFound, LocationRetired
from shared.errors import Problem

_OF_PLACE = {
    Refusal.UNKNOWN_PLACE: LocationNotFound,
    Refusal.RETIRED_PLACE: LocationRetired,
    Refusal.UNKNOWN_COUNTERPLACE: LocationNotFound,
    Refusal.RETIRED_COUNTERPLACE: LocationRetired,
}
_OF_COUNTERPLACE = {Refusal.UNKNOWN_COUNTERPLACE, Refusal.RETIRED_COUNTERPLACE}


def problem_of(outcome: Outcome) -> Problem:  # noqa: PLR0911 - one return for each reason.
    """Return the problem that tells why a change was refused."""
    change = outcome.change
    item, location = outcome.spot.code or change.item.text, change.place.text
    if outcome.refusal in _OF_PLACE:
        named = change.counterplace if outcome.refusal in _OF_COUNTERPLACE else None
        return _OF_PLACE[outcome.refusal](location=(named or change.place).text)
    if outcome.refusal in {Refusal.UNKNOWN_UNIT, Refusal.INEXACT}:
        return _of_unit(outcome, item)
    match outcome.refusal:
        case Refusal.UNKNOWN_ITEM:
            return ItemNotFound(item=change.item.text)
        case Refusal.RETIRED_ITEM:
            return ItemRetired(item=item)
        case Refusal.SAME_PLACE:
            return TransferInPlace()
        case Refusal.IN_FUTURE:
            return MovementInFuture()
        case Refusal.TOO_MUCH:
            filled = change.counterplace or change.place  # A transfer fills where it goes.
            return BalanceTooLarge(item=item, location=filled.text)
        case _ if outcome.counted is not None:
            return CountTooLow(
                item=item,
                location=location,
                available=outcome.available,
                requested=outcome.counted,
                least=outcome.counted - outcome.quantity - outcome.available,
            )
        case Refusal.NOT_ENOUGH_THEN if outcome.fits_from is not None:
            return InsufficientStockThen(
                item=item,
                location=location,
                available=outcome.available,
                requested=abs(outcome.quantity),
                fits_from=outcome.fits_from,
            )
        case _:
            return InsufficientStock(
                item=item,
                location=location,
                available=outcome.available,
                requested=abs(outcome.quantity),
            )


def _of_unit(outcome: Outcome, item: str) -> Problem:
    """Return why a quantity in the unit that was named is none of the stock unit."""
    change, spot, unit = outcome.change, outcome.spot, outcome.given_unit
    if unit is None:
        named = change.unit or spot.named_unit or ""
        return UnknownUnit(item=item, unit=named, units=spot.units)
    return QuantityInexact(
        item=item,
        quantity=change.asked,
        unit=unit.unit,
        holds=unit.quantity,
        stock_unit=spot.unit or "",
    )
