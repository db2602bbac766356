"""Serials: which of them a change moves, and why some cannot.

The unit of a serial is always in one place: at a location, or outside. What comes in takes it from
outside as a transfer takes it from another location, so that by one rule no instant, of the past
either, shows it in two places.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.inventory.ledger.rules.changes import (
    Balance,
    Balances,
    Change,
    Ends,
    Refusal,
    Spot,
)
from services.inventory.ledger.rules.draws import (
    Choice,
    Shortage,
    Touch,
    lay,
    level_at,
    shortage_of,
)
from services.inventory.ledger.rules.kinds import BRINGS_LOTS, Kind
from services.inventory.ledger.rules.lots import (
    NO_LOT,
    OUTSIDE,
    Lot,
    Lots,
    SerialFault,
    SerialReason,
)
from services.inventory.ledger.rules.timeline import NOTHING

UNIT = Decimal(1)
_BEGIN = BRINGS_LOTS | {Kind.ADJUSTMENT, Kind.COUNT_CORRECTION}  # A serial that never was.
_NONE = Lot(NO_LOT, None)  # What a count is of that finds nothing where nothing lay.


def misfit_of_serials(change: Change, spot: Spot, asked: Decimal) -> Refusal | None:
    """Return what is wrong with the serials that a change names, or does not, whatever the stock.

    asked is its quantity in stock units, signed, or what was counted.
    """
    if change.serials is None:
        is_any = change.holds_until is not None and asked == asked.to_integral_value()
        is_silent = not (change.shares or change.lot or is_any)
        return Refusal.SERIALS_NEEDED if spot.has_serials and is_silent else None
    if not spot.has_serials:
        return Refusal.NO_SERIALS
    return Refusal.SERIALS_DIFFER if abs(asked) != len(change.serials) else None


def choose_serials(change: Change, spot: Spot, lots: Lots, _now: datetime) -> Choice:
    """Return the serials that a change names; after those that a count finds, all others there."""
    if change.lot is not None:
        return Choice((None,), Refusal.NO_LOTS)
    if change.shares:
        return Choice([lot for lot, _ in change.shares])
    if change.serials is None and spot.item_id is not None and spot.place_id is not None:
        return Choice(lots.first_expired_first_out(spot.item_id, spot.place_id))
    named = list(_named(change, spot.item_id, lots))
    if change.counted is None:
        return Choice(named)
    found = {lot.id for lot in named}
    others = [lot for lot in _there(spot, lots) if lot.id not in found and not lot.is_new]
    return Choice([*named, *others, *([] if named else [_NONE])])


def touched_serials(change: Change, spot: Spot, lots: Lots) -> list[UUID]:
    """Return the serials that a change touches, or may touch, as far as they are known."""
    if change.shares:
        return [lot.id for lot, _ in change.shares]
    if spot.place_id is None:  # Then no name was looked up either.
        return []
    if change.serials is None:
        return [lot.id for lot in _there(spot, lots)] if change.holds_until is not None else []
    touched = {lot.id: None for lot in _named(change, spot.item_id, lots)}
    if change.counted is not None:
        touched |= {lot.id: None for lot in _there(spot, lots)}
        if not change.serials:
            touched[NO_LOT] = None
    return list(touched)


def goes_outside(change: Change) -> bool:
    """Say whether the other end of a change of serials is outside; what is held goes nowhere."""
    return change.counterplace is None and change.holds_until is None


def find_serial_touches(
    change: Change, choice: Choice, spot: Spot, counterspot: Spot | None, balances: Balances
) -> list[Touch]:
    """Return the levels of the serials chosen; the other end of what is no transfer is outside."""
    touches = []
    for lot in choice.lots:
        if lot is None:
            raise AssertionError("only serials are chosen of an item that has them")
        levels = [level_at(spot, lot, balances)]
        if counterspot is not None:
            levels.append(level_at(counterspot, lot, balances))
        elif lot.id != NO_LOT and spot.item_id is not None and goes_outside(change):
            levels.append(balances[spot.item_id, OUTSIDE, lot.id])
        touches.append(Touch(lot, levels))
    return touches


def draw_serials(
    change: Change,
    touches: Sequence[Touch],
    ends: Ends,
    asked: Decimal,
    at: datetime,
    lots: Lots,
) -> list[tuple[Touch, Decimal]] | Shortage:
    """Return what is added at the place of each serial: one, or less one; or all that cannot be.

    Of a count also nothing: of what lay there and was found. What is held without a name is of
    those that came first.
    """
    if change.serials is None and not change.shares:
        return _first_free(touches, asked)
    draws, faults = [], []
    for touch, quantity in zip(touches, _wanted(change, touches, at), strict=True):
        fault = _fault_of(change, touch, quantity, ends, at, lots)
        if fault is not None:
            faults.append(fault)
        draws.append((touch, quantity))
    if faults:
        comes = {SerialReason.IN_STOCK, SerialReason.WAS_IN_STOCK}
        is_coming = any(fault.reason in comes for fault in faults)
        refusal = Refusal.SERIALS_IN_STOCK if is_coming else Refusal.SERIALS_NOT_THERE
        return Shortage(refusal, serials=tuple(faults))
    found = len(change.serials or ())
    if change.counted is None:
        return draws
    counted = [draw for n, draw in enumerate(draws) if n < found or draw[1]]
    return counted or draws[-1:]


def follow_serials(
    change: Change, draws: Sequence[tuple[Touch, Decimal]], ends: Ends, at: datetime, lots: Lots
) -> None:
    """Let it be known where serials lie after a granted change; new ones are received by it."""
    spot, counterspot = ends
    for touch, quantity in draws:
        lot, end = touch.lot, spot if quantity > 0 else counterspot
        if lot is None or not quantity:
            continue
        if end is not None and end.place_id is not None:
            lots.lying[lot.id] = end.place_id, end.place or ""
        else:
            lots.lying.pop(lot.id, None)
    for name in change.serials or ():
        if spot.item_id is not None and lots.named[spot.item_id, name.key].is_new:
            lots.receive(spot.item_id, name, None, at)


def _named(change: Change, item_id: UUID | None, lots: Lots) -> Iterator[Lot]:
    if item_id is not None:
        for name in change.serials or ():
            yield lots.named[item_id, name.key]


def _there(spot: Spot, lots: Lots) -> list[Lot]:
    if spot.item_id is None or spot.place_id is None:
        return []
    return [
        lot for lot in lots.at.get((spot.item_id, spot.place_id), {}).values() if lot.id != NO_LOT
    ]


def _wanted(change: Change, touches: Sequence[Touch], at: datetime) -> list[Decimal]:
    """Return what is to be added at the place of each serial."""
    if change.shares:
        return [quantity for _, quantity in change.shares]
    if change.quantity is not None:
        return [UNIT if change.quantity > 0 else -UNIT] * len(touches)
    found = len(change.serials or ())
    return [
        (UNIT if n < found else NOTHING) - lay(touch.here, at) if len(touch.levels) > 1 else NOTHING
        for n, touch in enumerate(touches)
    ]


def _first_free(touches: Sequence[Touch], asked: Decimal) -> list[tuple[Touch, Decimal]] | Shortage:
    """Return the first of the serials that are available, as many as are asked for."""
    free = [touch for touch in touches if touch.here.available > 0]
    if len(free) >= -asked:
        return [(touch, -UNIT) for touch in free[: int(-asked)]]
    return Shortage(
        Refusal.NOT_ENOUGH,
        Decimal(len(free)),
        on_hand=sum((touch.here.on_hand for touch in touches), NOTHING),
        reserved=sum((touch.here.reserved for touch in touches), NOTHING),
    )


def _fault_of(
    change: Change,
    touch: Touch,
    quantity: Decimal,
    ends: Ends,
    at: datetime,
    lots: Lots,
) -> SerialFault | None:
    """Return why the unit of a serial cannot come or go, if it cannot."""
    lot = touch.lot
    if lot is None or lot.code is None:
        return None
    if lot.is_new and (quantity < 0 or change.kind not in _BEGIN):
        return SerialFault(lot.code, SerialReason.UNKNOWN)
    for number, (level, delta) in enumerate(zip(touch.levels, (quantity, -quantity), strict=False)):
        is_held = change.is_held and number == 0
        shortage = shortage_of(level, delta, at, is_held=is_held)
        if shortage is not None:
            lying = lots.lying.get(lot.id)
            is_late = shortage.refusal is Refusal.NOT_ENOUGH_THEN
            if ends[number] is None:
                reason = SerialReason.WAS_IN_STOCK if is_late else SerialReason.IN_STOCK
            else:
                reason = _reason_of_staying(level, is_late=is_late, is_somewhere=bool(lying))
            return SerialFault(lot.code, reason, *(lying or ()))
    return None


def _reason_of_staying(level: Balance, *, is_late: bool, is_somewhere: bool) -> SerialReason:
    """Return why a serial cannot leave a location."""
    if is_late:
        return SerialReason.CAME_LATER
    if level.on_hand > 0:
        return SerialReason.RESERVED
    return SerialReason.ELSEWHERE if is_somewhere else SerialReason.GONE
