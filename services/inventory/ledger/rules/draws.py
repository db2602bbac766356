"""From which levels a change takes how much, and what a level can give."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from services.inventory.ledger.rules.changes import Balance, Balances, Change, Refusal, Spot
from services.inventory.ledger.rules.kinds import BRINGS_LOTS, ON_HAND_MAX, Kind
from services.inventory.ledger.rules.lots import NO_LOT, Lot, Lots, SerialFault
from services.inventory.ledger.rules.timeline import NOTHING, Timeline

_LEAVES_EXPIRED = frozenset({Kind.ISSUE, Kind.TRANSFER, Kind.ASSEMBLY})  # Where no lot is named.
_USES_UP = frozenset({Kind.ISSUE, Kind.ASSEMBLY})


class Choice(NamedTuple):
    """The lots that a change is about, in the order in which it takes from them; or why of none.

    `expired` are those that it passes over. None is the one lot of an item without lots. Of a
    refusal, `lots` is the one that it is about.
    """

    lots: Sequence[Lot | None]
    refusal: Refusal | None = None
    expired: Sequence[Lot] = ()
    is_of_all: bool = False  # Of an item with lots, where none is named.


class Touch(NamedTuple):
    """The levels of one lot at the place of a change, and where a transfer goes."""

    lot: Lot | None
    levels: Sequence[Balance]

    @property
    def here(self) -> Balance:
        return self.levels[0]


class Shortage(NamedTuple):
    """Why levels cannot take or give a quantity, and what lies there."""

    refusal: Refusal
    available: Decimal = NOTHING
    fits_from: datetime | None = None
    on_hand: Decimal = NOTHING
    reserved: Decimal = NOTHING
    is_at_counterplace: bool = False
    serials: tuple[SerialFault, ...] = ()


_PLAIN = Choice((None,))


def choose_lots(change: Change, spot: Spot, lots: Lots, now: datetime) -> Choice:  # noqa: PLR0911 - one return for each case.
    """Return the lots that a change names, or those that go out first where it names none."""
    if not spot.has_lots:
        return _PLAIN if change.lot is None else Choice((None,), Refusal.NO_LOTS)
    at = now if change.occurred_at is None else min(change.occurred_at, now)
    if change.shares:
        return _shared(change, at)
    if change.lot is None:
        if not _only_takes(change):
            return Choice((None,), Refusal.LOT_NEEDED)
        return _first_out(change, spot, lots, at)
    if spot.item_id is None:
        raise AssertionError("only of an item that was found lots are chosen")
    lot = lots.named.get((spot.item_id, change.lot.key))
    if lot is None or (lot.is_new and change.kind not in BRINGS_LOTS):
        return Choice((None,), Refusal.UNKNOWN_LOT)
    if change.expires_on is not None and not lot.is_new and change.expires_on != lot.expires_on:
        return Choice((lot,), Refusal.EXPIRY_DIFFERS)
    if change.kind in _USES_UP and _only_takes(change) and lot.is_expired(at):
        return Choice((lot,), Refusal.LOT_EXPIRED)
    return Choice((lot,))


def touched_lots(change: Change, spot: Spot, lots: Lots) -> Sequence[UUID]:
    """Return the lots that a change touches, or may touch, as far as they are known."""
    if not spot.has_lots:
        return (NO_LOT,)
    if change.shares:
        return [lot.id for lot, _ in change.shares]
    if spot.item_id is None:
        return ()
    if change.lot is not None:
        lot = lots.named.get((spot.item_id, change.lot.key))
        return () if lot is None else (lot.id,)
    if spot.place_id is None or not _only_takes(change):
        return ()
    return list(lots.at.get((spot.item_id, spot.place_id), ()))


def find_touches(
    _change: Change, choice: Choice, spot: Spot, counterspot: Spot | None, balances: Balances
) -> list[Touch]:
    """Return the levels of the lots chosen."""
    ends = [spot] if counterspot is None else [spot, counterspot]
    return [Touch(lot, [level_at(end, lot, balances) for end in ends]) for lot in choice.lots]


def draw(
    change: Change, touches: Sequence[Touch], quantity: Decimal, instant: datetime
) -> list[tuple[Touch, Decimal]] | Shortage:
    """Return how much is added at the place to each lot: all of one, or what the change shares out.

    Where no lot is named each gives what it has, in order, until the quantity is there.
    """
    if change.shares:
        draws = list(zip(touches, (share for _, share in change.shares), strict=True))
    elif change.lot is not None or (touches and touches[0].lot is None):
        draws = [(touches[0], quantity)]
    else:
        found = _share_out(touches, -quantity, instant)
        if isinstance(found, Shortage):
            return found._replace(
                on_hand=sum((touch.here.on_hand for touch in touches), NOTHING),
                reserved=sum((touch.here.reserved for touch in touches), NOTHING),
            )
        draws = found
    for touch, part in draws:
        for number, (level, delta) in enumerate(zip(touch.levels, (part, -part), strict=False)):
            is_held = change.is_held and number == 0
            shortage = shortage_of(level, delta, instant, is_held=is_held)
            if shortage is not None:
                return shortage._replace(
                    on_hand=level.on_hand,
                    reserved=level.reserved,
                    is_at_counterplace=number == 1,
                )
    return draws


def expired_stock(choice: Choice, spot: Spot, balances: Balances) -> Decimal:
    """Return how much lies at the place that has expired and is passed over."""
    levels = [level_at(spot, lot, balances) for lot in choice.expired]
    return sum((level.available for level in levels), NOTHING)


def instant_of(change: Change, now: datetime, levels: Sequence[Balance]) -> datetime:
    """Return the instant of a change: its own, or now where it has none or a clock runs ahead.

    Now is never before the latest movement of a level: a server's clock may have been set back.
    """
    if change.occurred_at is not None and change.occurred_at < now:
        return change.occurred_at
    return max([now, *[level.moved_at for level in levels if level.moved_at is not None]])


def is_late(instant: datetime, level: Balance) -> bool:
    """Say whether a movement at the instant comes after later ones of the level were recorded."""
    return level.moved_at is not None and instant < level.moved_at


def lay(level: Balance, instant: datetime) -> Decimal:
    """Return what lay at the level at the end of the instant."""
    return _timeline_of(level).at(instant) if is_late(instant, level) else level.on_hand


def shortage_of(
    level: Balance, quantity: Decimal, instant: datetime, *, is_held: bool = False
) -> Shortage | None:
    """Return why the level cannot take or give a quantity at an instant, if it cannot.

    What it gives was reserved for it if it is held.
    """
    after = level.on_hand + quantity
    if after > ON_HAND_MAX:
        return Shortage(Refusal.TOO_MUCH)
    if quantity >= 0:
        return None
    if after < level.reserved + (quantity if is_held else NOTHING):
        return Shortage(Refusal.NOT_ENOUGH, level.available)
    if is_late(instant, level):
        timeline = _timeline_of(level)
        lowest = timeline.lowest_from(instant)
        if lowest + quantity < 0:
            fits_from = timeline.earliest(instant, -quantity)
            return Shortage(Refusal.NOT_ENOUGH_THEN, max(lowest, NOTHING), fits_from)
    return None


def _only_takes(change: Change) -> bool:
    return change.quantity is not None and change.quantity < 0


def _shared(change: Change, at: datetime) -> Choice:
    lots = [lot for lot, _ in change.shares]
    expired = [lot for lot in lots if lot.is_expired(at)] if change.kind is Kind.ISSUE else []
    return Choice(expired, Refusal.LOT_EXPIRED) if expired else Choice(lots)


def _first_out(change: Change, spot: Spot, lots: Lots, at: datetime) -> Choice:
    if spot.item_id is None or spot.place_id is None:
        raise AssertionError("only of what was found lots are chosen")
    ordered = lots.first_expired_first_out(spot.item_id, spot.place_id)
    known = [lot for lot in ordered if not lot.is_new]
    if change.kind not in _LEAVES_EXPIRED:
        return Choice(known, is_of_all=True)
    good = [lot for lot in known if not lot.is_expired(at)]
    expired = [lot for lot in known if lot.is_expired(at)]
    return Choice(good, expired=expired, is_of_all=True)


def level_at(spot: Spot, lot: Lot | None, balances: Balances) -> Balance:
    """Return the level of a lot at a place."""
    if spot.item_id is None or spot.place_id is None:
        raise AssertionError("only what was found has levels")
    return balances[spot.item_id, spot.place_id, NO_LOT if lot is None else lot.id]


def _share_out(
    touches: Sequence[Touch], wanted: Decimal, instant: datetime
) -> list[tuple[Touch, Decimal]] | Shortage:
    """Return what lots give, negative, so that together they give what is wanted."""
    draws, left = [], wanted
    for touch in touches:
        share = min(_free(touch.here, instant), left)
        if share:
            draws.append((touch, -share))
            left -= share
        if not left:
            return draws
    now_there = sum((touch.here.available for touch in touches), NOTHING)
    if now_there < wanted:
        return Shortage(Refusal.NOT_ENOUGH, now_there)
    return Shortage(Refusal.NOT_ENOUGH_THEN, wanted - left, _fits_from(touches, wanted, instant))


def _free(level: Balance, instant: datetime) -> Decimal:
    """Return how much of a level may be taken at an instant."""
    if not is_late(instant, level):
        return level.available
    return max(min(level.available, _timeline_of(level).lowest_from(instant)), NOTHING)


def _fits_from(touches: Sequence[Touch], wanted: Decimal, instant: datetime) -> datetime:
    """Return the first instant from which on the lots together can give what is wanted.

    There is one: what they have now is enough. What each can give only grows with the instant.
    """
    timelines = [touch.here.timeline for touch in touches if touch.here.timeline is not None]
    instants = sorted({at for line in timelines for at in line.instants if at > instant})
    fits = bisect_left(
        instants,
        True,  # noqa: FBT003 - what the key gives from there on.
        key=lambda at: sum((_free(touch.here, at) for touch in touches), NOTHING) >= wanted,
    )
    return instants[fits]


def _timeline_of(level: Balance) -> Timeline:
    if level.timeline is None:
        raise LookupError("a late movement is judged by the history of its level")
    return level.timeline
