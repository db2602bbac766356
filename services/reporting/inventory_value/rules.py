"""Stock at weighted average cost, decided without I/O.

The moving-average formula of IAS 2.27: what comes in adds its quantity at its cost, what goes out
takes its share of the value. Numbers are exact but for the share that goes out and for what comes
in at the average, which are rounded to `VALUE_PLACES`, half to even.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from functools import reduce
from typing import NamedTuple, TypeVar
from uuid import UUID

KeyT = TypeVar("KeyT")

ZERO = Decimal(0)
VALUE_PLACES = Decimal("0.0000000001")  # Quantities have 4 places and unit costs 6.
RECEIPT = "receipt"
TRANSFER = "transfer"
SEES_VALUES = frozenset({"price:write", "audit:read"})  # Either will do.
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one item over all locations, and what that cost.

    `unit_cost` is the average, or the last one when nothing is held; None until any cost is known,
    and then the value is zero. `owed` are units that went out before the receipt they came from
    was seen; it is zero or more than `held`, and is settled, at the average, by what comes in.
    """

    held: Decimal = ZERO
    owed: Decimal = ZERO
    value: Decimal = ZERO
    unit_cost: Decimal | None = None

    @property
    def on_hand(self) -> Decimal:
        return self.held - self.owed


@dataclass(frozen=True, slots=True)
class AssemblyPart:
    """A kit, or a component of it, in one assembly: what was held of it before, what of it moves.

    `quantity` is signed, over all its lots; `cost` is the unit cost that its movements name.
    """

    before: Position
    quantity: Decimal
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Valued:
    """An item in stock, by its code, and its value in money, in a report to the smallest coin.

    What is stored of an unreadable one cannot be opened: it has no unit cost and counts as zero.
    """

    item_id: UUID
    key: str
    name: str
    category: str | None
    unit: str
    quantity: Decimal
    unit_cost: Decimal | None
    value: Decimal
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What a category or a location holds of how many items, in stock units and money."""

    key: str
    items: int
    quantity: Decimal
    value: Decimal
    unreadable_items: int


class _Part(NamedTuple):
    """What one item adds to a group."""

    quantity: Decimal
    value: Decimal
    is_unreadable: bool


def may_see_values(scopes: Collection[str]) -> bool:
    """Say whether a caller with these scopes may see what stock cost."""
    return not SEES_VALUES.isdisjoint(scopes)


def after_movement(
    position: Position, kind: str, quantity: Decimal, cost: Decimal | None
) -> Position:
    """Return the position after one ledger row: its signed quantity, the unit cost it names.

    A receipt comes in at its own cost, anything else at the average, and at the cost it names
    when nothing is held: what a customer returns, or a count finds. Write-offs, and returns to a
    supplier, go out at the average as issues do. A transfer changes nothing, since its two rows
    cancel out. A reversal is given the kind of what it undoes: a receipt, so far as it is held, is
    taken back at its own cost, and no value falls below zero.
    """
    if kind == TRANSFER or not quantity:
        return position
    if quantity < 0:
        if kind == RECEIPT and cost is not None and _holds_more(position, -quantity):
            return _taken_back(position, -quantity, cost)
        return _settled(replace(position, owed=position.owed - quantity))
    if position.held and position.unit_cost is not None and (kind != RECEIPT or cost is None):
        return _settled(_taken_in_at_average(position, quantity))
    return _settled(_taken_in(position, quantity, position.unit_cost if cost is None else cost))


def after_first_cost(position: Position, cost: Decimal) -> Position:
    """Return the position once a cost of its item is known: it values what had none."""
    if position.unit_cost is not None or not position.held:
        return position
    return Position(position.held, position.owed, _product(position.held, cost), cost)


def after_assembly(parts: Mapping[UUID, AssemblyPart]) -> dict[UUID, Position]:
    """Return, by item, the positions after a kit was made or taken apart: the cost is carried.

    What goes out goes at the average; what comes in takes in the sum of that, to the last place.
    Several share it as their quantities at the costs they name, or else at their averages, stand
    to one another. Units without any known cost carry nothing; where nothing is carried, or to
    nothing whose cost is known, what comes in counts zero.
    """
    carried: Decimal | None = None
    after: dict[UUID, Position] = {}
    for item_id, part in parts.items():
        if part.quantity < 0:
            after[item_id] = _settled(replace(part.before, owed=part.before.owed - part.quantity))
            worth = _worth_taken(part.before, after[item_id], -part.quantity)
            carried = worth if carried is None else _EXACT.add(carried, worth or ZERO)
    coming = {item_id: part for item_id, part in parts.items() if part.quantity > 0}
    shares = _shared_among(coming, carried)
    for item_id, part in coming.items():
        brought = _brought(part.before, part.quantity, shares.get(item_id))
        after[item_id] = _settled(brought)
    return {item_id: after.get(item_id, part.before) for item_id, part in parts.items()}


def by_category(items: Iterable[Valued]) -> list[Group]:
    """Return the items summed up by category, in order; the empty key is for those without."""
    groups: dict[str, list[_Part]] = defaultdict(list)
    for item in items:
        part = _Part(item.quantity, item.value, item.is_unreadable)
        groups[item.category or ""].append(part)
    return _summed(groups)


def by_location(
    items: Iterable[Valued], levels: Mapping[UUID, Mapping[str, Decimal]], digits: int
) -> list[Group]:
    """Return the items summed up by location, in order; `levels` are on hand by item and location.

    An item's value is shared out over its locations by what lies there.
    """
    groups: dict[str, list[_Part]] = defaultdict(list)
    for item in items:
        places = levels.get(item.item_id, {})
        for location, value in apportioned(item.value, places, digits).items():
            groups[location].append(_Part(places[location], value, item.is_unreadable))
    return _summed(groups)


def rounded_money(value: Decimal, digits: int) -> Decimal:
    """Return the value in whole units of the currency's smallest coin."""
    return _EXACT.quantize(value, Decimal(1).scaleb(-digits))


def rounded_together(values: Mapping[KeyT, Decimal], digits: int) -> dict[KeyT, Decimal]:
    """Return the values, none below zero, in whole coins that add up to their rounded sum.

    Each is rounded down, what is left of the sum goes coin by coin to the largest remainders.
    """
    total = rounded_money(_sum(values.values()), digits)
    return _filled_up(values, total, Decimal(1).scaleb(-digits))


def apportioned(
    amount: Decimal, weights: Mapping[KeyT, Decimal], digits: int
) -> dict[KeyT, Decimal]:
    """Return the amount shared out in proportion to the weights, so that the parts add up to it.

    Largest remainder: each gets its share rounded down, what is left goes coin by coin to the
    largest remainders, in the mapping's order where equal. Weights of zero or below get nothing.
    """
    total = _sum(weight for weight in weights.values() if weight > 0)
    if not total:
        return dict.fromkeys(weights, ZERO)
    coin = Decimal(1).scaleb(-digits)
    shares = {
        key: _EXACT.divide(_EXACT.multiply(amount, max(weight, ZERO)), total)
        for key, weight in weights.items()
    }
    return _filled_up(shares, amount, coin)


def _summed(groups: Mapping[str, Sequence[_Part]]) -> list[Group]:
    return [
        Group(
            key,
            len(parts),
            sum((part.quantity for part in parts), ZERO),
            sum((part.value for part in parts), ZERO),
            sum(part.is_unreadable for part in parts),
        )
        for key, parts in sorted(groups.items())
    ]


def _taken_in(position: Position, quantity: Decimal, cost: Decimal | None) -> Position:
    held = position.held + quantity
    if cost is None:
        return Position(held, position.owed)
    if position.unit_cost is None:
        return Position(held, position.owed, _product(held, cost), cost)
    value = _EXACT.add(position.value, _product(quantity, cost))
    return Position(held, position.owed, value, _rounded(_EXACT.divide(value, held)))


def _worth_taken(before: Position, after: Position, quantity: Decimal) -> Decimal | None:
    """Return what left with the units; of units that are owed yet, what the average says."""
    if before.unit_cost is None:
        return None
    if after.owed or before.owed:
        return _product(quantity, before.unit_cost)
    return _EXACT.subtract(before.value, after.value)


def _shared_among(
    coming: Mapping[UUID, AssemblyPart], carried: Decimal | None
) -> dict[UUID, Decimal]:
    """Return what each item takes in of what is carried; nothing of those without a known cost."""
    if carried is None or not coming:
        return {}
    costs = {
        item_id: part.before.unit_cost if part.cost is None else part.cost
        for item_id, part in coming.items()
    }
    weights = {
        item_id: _EXACT.multiply(coming[item_id].quantity, cost)
        for item_id, cost in costs.items()
        if cost is not None
    }
    if not any(weights.values()):
        weights = {item_id: part.quantity for item_id, part in coming.items()}
    return apportioned(carried, weights, -int(VALUE_PLACES.adjusted()))


def _brought(position: Position, quantity: Decimal, worth: Decimal | None) -> Position:
    """Return the position with units that bring this value, whatever units there are worth."""
    held = position.held + quantity
    value = _EXACT.add(position.value, worth or ZERO)
    if worth is None and not value:
        return Position(held, position.owed)
    return Position(held, position.owed, value, _rounded(_EXACT.divide(value, held)))


def _taken_in_at_average(position: Position, quantity: Decimal) -> Position:
    brought = _share(position.value, quantity, position.held)
    value = _EXACT.add(position.value, brought)
    return replace(position, held=position.held + quantity, value=value)


def _holds_more(position: Position, quantity: Decimal) -> bool:
    """Say whether more is held, at a cost that is known, and nothing is owed."""
    return position.held > quantity and not position.owed and position.unit_cost is not None


def _taken_back(position: Position, quantity: Decimal, cost: Decimal) -> Position:
    """Return the position without a receipt of which it still holds more."""
    held = position.held - quantity
    value = max(_EXACT.subtract(position.value, _product(quantity, cost)), ZERO)
    return Position(held, position.owed, value, _rounded(_EXACT.divide(value, held)))


def _settled(position: Position) -> Position:
    """Return the position with what is owed taken out, once enough is held for it."""
    held, owed = position.held, position.owed
    if owed > held or not owed:
        return position
    if owed == held:
        return Position(unit_cost=position.unit_cost)
    value = _EXACT.subtract(position.value, _share(position.value, owed, held))
    return Position(held - owed, ZERO, value, position.unit_cost)


def _filled_up(
    shares: Mapping[KeyT, Decimal], amount: Decimal, coin: Decimal
) -> dict[KeyT, Decimal]:
    """Return the shares in whole coins, rounded down, the largest remainders up to the amount."""
    parts = {key: share.quantize(coin, ROUND_DOWN, _EXACT) for key, share in shares.items()}
    left = int(_EXACT.divide(_EXACT.subtract(amount, _sum(parts.values())), coin))
    for key in sorted(shares, key=lambda k: _EXACT.subtract(parts[k], shares[k]))[:left]:
        parts[key] = _EXACT.add(parts[key], coin)
    return parts


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, numbers, ZERO)


def _share(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return _rounded(_EXACT.divide(_EXACT.multiply(value, part), whole))


def _product(quantity: Decimal, cost: Decimal) -> Decimal:
    return _rounded(_EXACT.multiply(quantity, cost))


def _rounded(value: Decimal) -> Decimal:
    return _EXACT.quantize(value, VALUE_PLACES)
