"""Who gets scarce units, and what may never be: the one place where movements are decided."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.inventory.items.rules import Pack, exact_product, find_pack, packs_of
from services.inventory.ledger.rules.changes import (
    Balances,
    Change,
    Ends,
    Outcome,
    Part,
    Refusal,
    Spot,
    Spots,
)
from services.inventory.ledger.rules.draws import (
    Shortage,
    Touch,
    choose_lots,
    draw,
    expired_stock,
    find_touches,
    instant_of,
    is_late,
    lay,
    touched_lots,
)
from services.inventory.ledger.rules.kinds import CLOCK_TOLERANCE
from services.inventory.ledger.rules.lots import NO_LOT, OUTSIDE, Level, Lots
from services.inventory.ledger.rules.serials import (
    choose_serials,
    draw_serials,
    find_serial_touches,
    follow_serials,
    goes_outside,
    misfit_of_serials,
    touched_serials,
)
from services.inventory.ledger.rules.timeline import NOTHING


class OpenFrom(NamedTuple):
    """The earliest instant that a movement may have, and why it may have none before."""

    at: datetime
    refusal: Refusal


@dataclass(slots=True)
class Late:
    """Of one level: the earliest instant of a late change, and the instants of all changes."""

    since: datetime | None = None
    instants: list[datetime] = field(default_factory=list)


def judge(
    changes: Sequence[Change],
    spots: Spots,
    balances: Balances,
    now: datetime,
    atomic: bool,  # noqa: FBT001 - named wherever it is said; judged in a thread it is passed on.
    open_from: OpenFrom | None = None,
    lots: Lots | None = None,
) -> list[Outcome]:
    """Decide changes in their order, and bring the balances up to what was granted.

    A change is granted if no level it takes from falls below zero at any instant from its own on,
    nor below what is reserved now, after all granted before it. A refused one changes nothing, so
    a smaller one after it may still be granted; if `atomic`, one refusal refuses all (then the
    balances mean nothing any more).
    """
    lots = lots or Lots()
    outcomes = [_decide(change, spots, balances, lots, now, open_from) for change in changes]
    if atomic and any(outcome.refusal for outcome in outcomes):
        return [
            outcome if outcome.refusal else outcome._replace(refusal=Refusal.HELD_BACK)
            for outcome in outcomes
        ]
    return outcomes


def late_levels(
    changes: Sequence[Change],
    spots: Spots,
    balances: Balances,
    now: datetime,
    lots: Lots | None = None,
) -> dict[Level, Late]:
    """Return the levels that some change touches, or may touch, out of order of time.

    Out of order is a change before the latest movement of the level, whether that is recorded or
    asked for before it.
    """
    lots = lots or Lots()
    latest = {level: balance.moved_at for level, balance in balances.items()}
    found: dict[Level, Late] = {}
    for change in changes:
        instant = change.occurred_at
        if instant is None or instant >= now:
            instant = now
        for level in levels_of(change, spots, lots):
            before = latest.get(level)
            late = found.setdefault(level, Late())
            late.instants.append(instant)
            if before is None or instant >= before:
                latest[level] = instant
            elif instant < now and (late.since is None or instant < late.since):
                late.since = instant
    return {level: late for level, late in found.items() if late.since is not None}


def levels_of(change: Change, spots: Spots, lots: Lots) -> list[Level]:
    """Return the levels that a change touches, or may touch, as far as they are known."""
    spot, counterspot = _ends(change, spots)
    find = touched_serials if spot.has_serials else touched_lots
    touched = find(change, spot, lots)
    found = [
        (end.item_id, end.place_id, lot_id)
        for lot_id in touched
        for end in (spot, counterspot)
        if end is not None and end.item_id is not None and end.place_id is not None
    ]
    if spot.has_serials and spot.item_id is not None and goes_outside(change):
        found += [(spot.item_id, OUTSIDE, lot_id) for lot_id in touched if lot_id != NO_LOT]
    return found


def _ends(change: Change, spots: Spots) -> tuple[Spot, Spot | None]:
    spot = spots[change.item, change.place]
    if change.counterplace is None:
        return spot, None
    return spot, spots[change.item, change.counterplace]


def _decide(
    change: Change,
    spots: Spots,
    balances: Balances,
    lots: Lots,
    now: datetime,
    open_from: OpenFrom | None,
) -> Outcome:
    spot, _ = ends = _ends(change, spots)
    asked_of = change, *ends, now
    refusal = _misfit(*asked_of)
    if refusal is not None:
        return Outcome(*asked_of, refusal)
    at = change.occurred_at
    if open_from is not None and at is not None and at < open_from.at:
        return Outcome(*asked_of, open_from.refusal, fits_from=open_from.at)
    asked, unit, misfit = stock_units(change, spot)
    misfit = misfit or misfit_of_serials(change, spot, asked)
    if misfit is not None:
        return Outcome(*asked_of, misfit, asked, given_unit=unit)
    choice = (choose_serials if spot.has_serials else choose_lots)(change, spot, lots, now)
    if choice.refusal is not None:
        return Outcome(*asked_of, choice.refusal, lot=choice.lots[0])
    find = find_serial_touches if spot.has_serials else find_touches
    touches = find(change, choice, *ends, balances)
    instant = instant_of(change, now, [level for touch in touches for level in touch.levels])
    counted = None if change.counted is None else asked
    quantity, draws = _draw(change, touches, ends, asked, instant, lots)
    if isinstance(draws, Shortage):
        return Outcome(
            *(*asked_of, draws.refusal, quantity),
            occurred_at=instant,
            is_backdated=_is_any_late(touches, instant),
            available=draws.available,
            on_hand=draws.on_hand,
            reserved=draws.reserved,
            is_at_counterplace=draws.is_at_counterplace,
            fits_from=draws.fits_from if counted is None else None,
            counted=counted,
            expired=expired_stock(choice, spot, balances),
            serials=draws.serials,
        )
    late = _is_any_late([touch for touch, _ in draws], instant)
    parts = _apply(change, ends, draws, lots, instant)
    return Outcome(
        *(*asked_of, None, quantity, *_total(parts), instant, late),
        given_unit=unit,
        parts=parts,
        is_emptied=choice.is_of_all
        and not any(touch.here.on_hand for touch in touches)
        and not expired_stock(choice, spot, balances),
    )


def _draw(
    change: Change,
    touches: Sequence[Touch],
    ends: Ends,
    asked: Decimal,
    instant: datetime,
    lots: Lots,
) -> tuple[Decimal, list[tuple[Touch, Decimal]] | Shortage]:
    """Return what is added at the place, and how much of it to which level; or why nothing is."""
    if ends[0].has_serials:
        serials = draw_serials(change, touches, ends, asked, instant, lots)
        if isinstance(serials, Shortage):
            return asked, serials
        return sum((part for _, part in serials), NOTHING), serials
    quantity = asked if change.counted is None else asked - lay(touches[0].here, instant)
    return quantity, draw(change, touches, quantity, instant)


def _apply(
    change: Change,
    ends: Ends,
    draws: Sequence[tuple[Touch, Decimal]],
    lots: Lots,
    instant: datetime,
) -> tuple[Part, ...]:
    """Let what was granted come and go, and return what it leaves; nothing moves that is held."""
    spot, _ = ends
    if change.holds_until is not None:
        return tuple([_held(touch, part, change.holds_until) for touch, part in draws])
    if change.is_held:
        for touch, part in draws:
            touch.here.reserved += part
    parts = tuple([_moved(touch, part, instant) for touch, part in draws])
    if spot.has_serials:
        follow_serials(change, draws, ends, instant, lots)
        return parts
    lot = parts[0].lot
    if lot is not None and lot.is_new and change.lot is not None and spot.item_id is not None:
        lots.receive(spot.item_id, change.lot, change.expires_on, instant)
    return parts


def _held(touch: Touch, quantity: Decimal, until: datetime) -> Part:
    """Let a granted quantity be reserved, and return what lies there as before."""
    touch.here.hold(-quantity, until)
    return Part(touch.lot, quantity, touch.here.on_hand, touch.here.on_hand)


def _moved(touch: Touch, quantity: Decimal, instant: datetime) -> Part:
    """Let a granted quantity come or go, and return what it leaves."""
    for level, delta in zip(touch.levels, (quantity, -quantity), strict=False):
        level.move(delta, instant)
    return Part(touch.lot, quantity, touch.here.on_hand, touch.levels[-1].on_hand)


def _total(parts: Sequence[Part]) -> tuple[Decimal, Decimal]:
    """Return what lies of all the lots together, here and where a transfer goes."""
    if len(parts) == 1:
        return parts[0].balance, parts[0].counterbalance
    here = sum((part.balance for part in parts), NOTHING)
    return here, sum((part.counterbalance for part in parts), NOTHING)


def _is_any_late(touches: Sequence[Touch], instant: datetime) -> bool:
    return any(is_late(instant, level) for touch in touches for level in touch.levels)


def stock_units(change: Change, spot: Spot) -> tuple[Decimal, Pack | None, Refusal | None]:
    """Return how many stock units move or were counted, and the unit that was named, if any."""
    number = change.counted if change.quantity is None else change.quantity
    if number is None:
        raise ValueError("a change has a quantity or a count")
    named = change.unit or spot.named_unit
    if named is None or change.is_told_by_serials:
        return number, None, None
    unit = find_pack(named, spot.unit or "", packs_of(spot.packs))
    if unit is None:
        return number, None, Refusal.UNKNOWN_UNIT
    product = exact_product(number, unit.quantity)
    if product is None:
        return number, unit, Refusal.INEXACT
    return product, unit, None


def _misfit(  # noqa: PLR0911 - one return for each reason.
    change: Change, spot: Spot, counterspot: Spot | None, now: datetime
) -> Refusal | None:
    """Return what is wrong with a change whatever the stock."""
    if spot.item_id is None:
        return Refusal.UNKNOWN_ITEM
    if not spot.active:
        return Refusal.RETIRED_ITEM
    if spot.place_id is None or not change.may_use(spot.place_id):
        return Refusal.UNKNOWN_PLACE
    if counterspot is not None and (
        counterspot.place_id is None or not change.may_use(counterspot.place_id)
    ):
        return Refusal.UNKNOWN_COUNTERPLACE
    if not spot.place_active:
        return Refusal.RETIRED_PLACE
    if counterspot is not None and not counterspot.place_active:
        return Refusal.RETIRED_COUNTERPLACE
    if counterspot is not None and counterspot.place_id == spot.place_id:
        return Refusal.SAME_PLACE
    if change.occurred_at is not None and change.occurred_at > now + CLOCK_TOLERANCE:
        return Refusal.IN_FUTURE
    return _barred(change, spot, counterspot)


def _barred(change: Change, spot: Spot, counterspot: Spot | None) -> Refusal | None:
    """Return what bars any movement at one of the ends."""
    if not change.is_stage and (spot.is_transit or (counterspot and counterspot.is_transit)):
        return Refusal.IN_TRANSIT
    if spot.frozen_by is not None or (counterspot and counterspot.frozen_by is not None):
        return Refusal.FROZEN
    return None
