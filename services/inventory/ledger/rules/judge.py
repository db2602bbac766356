"""Who gets scarce units, and what may never be: the one place where movements are decided."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from services.inventory.items.rules import Pack, exact_product, find_pack, packs_of
from services.inventory.ledger.rules.changes import (
    Balance,
    Balances,
    Change,
    Outcome,
    Refusal,
    Spot,
    Spots,
)
from services.inventory.ledger.rules.kinds import CLOCK_TOLERANCE, ON_HAND_MAX
from services.inventory.ledger.rules.timeline import NOTHING, Timeline


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
    open_from: datetime | None = None,
) -> list[Outcome]:
    """Decide changes in their order, and bring the balances up to what was granted.

    A change is granted if no level it takes from falls below zero at any instant from its own on,
    nor below what is reserved now, after all granted before it. A refused one changes nothing, so
    a smaller one after it may still be granted; if `atomic`, one refusal refuses all (then the
    balances mean nothing any more).
    """
    outcomes = [_decide(change, spots, balances, now, open_from) for change in changes]
    if atomic and any(outcome.refusal for outcome in outcomes):
        return [
            outcome if outcome.refusal else outcome._replace(refusal=Refusal.HELD_BACK)
            for outcome in outcomes
        ]
    return outcomes


def late_levels(
    changes: Sequence[Change], spots: Spots, balances: Balances, now: datetime
) -> dict[tuple[UUID, UUID], Late]:
    """Return the levels that some change touches out of order of time.

    Out of order is a change before the latest movement of the level, whether that is recorded or
    asked for before it.
    """
    latest = {level: balance.moved_at for level, balance in balances.items()}
    found: dict[tuple[UUID, UUID], Late] = {}
    for change in changes:
        instant = change.occurred_at
        if instant is None or instant >= now:
            instant = now
        for level in _levels_of(change, spots):
            before = latest.get(level)
            late = found.setdefault(level, Late())
            late.instants.append(instant)
            if before is None or instant >= before:
                latest[level] = instant
            elif instant < now and (late.since is None or instant < late.since):
                late.since = instant
    return {level: late for level, late in found.items() if late.since is not None}


def _levels_of(change: Change, spots: Spots) -> list[tuple[UUID, UUID]]:
    """Return the levels that a change touches, as far as they are known."""
    spot = spots[change.item, change.place]
    if change.counterplace is None:
        return _levels_at(spot, None)
    return _levels_at(spot, spots[change.item, change.counterplace])


def _levels_at(spot: Spot, counterspot: Spot | None) -> list[tuple[UUID, UUID]]:
    return [
        (each.item_id, each.place_id)
        for each in (spot, counterspot)
        if each is not None and each.item_id is not None and each.place_id is not None
    ]


def _decide(
    change: Change, spots: Spots, balances: Balances, now: datetime, open_from: datetime | None
) -> Outcome:
    spot = spots[change.item, change.place]
    counterspot = None
    if change.counterplace is not None:
        counterspot = spots[change.item, change.counterplace]
    refusal = _misfit(change, spot, counterspot, now)
    if refusal is not None:
        return Outcome(change, spot, counterspot, now, refusal)
    if open_from is not None and change.occurred_at is not None and change.occurred_at < open_from:
        closed = Refusal.PERIOD_CLOSED
        return Outcome(change, spot, counterspot, now, closed, fits_from=open_from)
    asked, unit, misfit = stock_units(change, spot)
    if misfit is not None:
        return Outcome(change, spot, counterspot, now, misfit, given_unit=unit)
    levels = [balances[level] for level in _levels_at(spot, counterspot)]
    here = levels[0]
    instant = _instant_of(change, now, levels)
    late = any(_is_late(instant, level) for level in levels)
    counted = None if change.counted is None else asked
    quantity = asked if counted is None else asked - _lay(here, instant)
    touched = list(zip(levels, (quantity, -quantity), strict=False))
    for number, (level, delta) in enumerate(touched):
        shortage = _shortage(level, delta, instant, NOTHING if number else change.held)
        if shortage is not None:
            return Outcome(
                *(change, spot, counterspot, now, shortage.refusal, quantity),
                occurred_at=instant,
                is_backdated=late,
                available=shortage.available,
                on_hand=level.on_hand,
                reserved=level.reserved,
                is_at_counterplace=number == 1,
                fits_from=shortage.fits_from if counted is None else None,
                counted=counted,
            )
    if change.holds_until is not None:
        here.hold(-quantity, change.holds_until)
    else:
        here.reserved -= change.held
        for level, delta in touched:
            level.move(delta, instant)
    balances_after = here.on_hand, levels[-1].on_hand
    return Outcome(
        *(change, spot, counterspot, now, None, quantity, *balances_after, instant, late),
        given_unit=unit,
    )


def stock_units(change: Change, spot: Spot) -> tuple[Decimal, Pack | None, Refusal | None]:
    """Return how many stock units move or were counted, and the unit that was named, if any."""
    number = change.counted if change.quantity is None else change.quantity
    if number is None:
        raise ValueError("a change has a quantity or a count")
    named = change.unit or spot.named_unit
    if named is None:
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
    return _barred(change, [spot] if counterspot is None else [spot, counterspot])


def _barred(change: Change, ends: Sequence[Spot]) -> Refusal | None:
    """Return what bars any movement at one of the ends."""
    if not change.is_stage and any(end.is_transit for end in ends):
        return Refusal.IN_TRANSIT
    if any(end.frozen_by is not None for end in ends):
        return Refusal.FROZEN
    return None


def _instant_of(change: Change, now: datetime, levels: Sequence[Balance]) -> datetime:
    """Return the instant of a change: its own, or now where it has none or a clock runs ahead.

    Now is never before the latest movement of a level: a server's clock may have been set back.
    """
    if change.occurred_at is not None and change.occurred_at < now:
        return change.occurred_at
    return max([now, *[level.moved_at for level in levels if level.moved_at is not None]])


def _is_late(instant: datetime, level: Balance) -> bool:
    """Say whether a movement at the instant comes after later ones of the level were recorded."""
    return level.moved_at is not None and instant < level.moved_at


def _timeline_of(level: Balance) -> Timeline:
    if level.timeline is None:
        raise LookupError("a late movement is judged by the history of its level")
    return level.timeline


def _lay(level: Balance, instant: datetime) -> Decimal:
    """Return what lay at the level at the end of the instant."""
    return _timeline_of(level).at(instant) if _is_late(instant, level) else level.on_hand


class _Shortage(NamedTuple):
    refusal: Refusal
    available: Decimal = NOTHING
    fits_from: datetime | None = None


def _shortage(
    level: Balance, quantity: Decimal, instant: datetime, held: Decimal
) -> _Shortage | None:
    """Return why the level cannot take or give a quantity at an instant, if it cannot.

    So much of what is reserved was held for it.
    """
    after = level.on_hand + quantity
    if after > ON_HAND_MAX:
        return _Shortage(Refusal.TOO_MUCH)
    if quantity >= 0:
        return None
    if after < level.reserved - held:
        return _Shortage(Refusal.NOT_ENOUGH, level.available)
    if _is_late(instant, level):
        timeline = _timeline_of(level)
        lowest = timeline.lowest_from(instant)
        if lowest + quantity < 0:
            fits_from = timeline.earliest(instant, -quantity)
            return _Shortage(Refusal.NOT_ENOUGH_THEN, max(lowest, NOTHING), fits_from)
    return None
