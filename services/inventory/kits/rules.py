"""What a kit is made of, level by level, and how many could be made; decided without I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import NamedTuple
from uuid import UUID

COMPONENTS_MAX = 200
LEVELS_MAX = 20  # Of kits within kits.
_NOTHING = Decimal(0)
_MOST = 10**12  # More kits than a level takes of anything with four digits.
# Of 18 digits a level and one for how many, with sums of some millions of them.
_EXACT = Context(prec=(LEVELS_MAX + 1) * 18 + 10)


class Component(NamedTuple):
    """How much of an item one stock unit of a kit takes, in stock units of that item."""

    item_id: UUID
    quantity: Decimal


Structure = Mapping[UUID, Sequence[Component]]  # By kit: it, and every kit that is in it.


def components_of(kit_id: UUID, structure: Structure, *, explode: bool) -> list[Component]:
    """Return what one of a kit takes, each item once.

    Exploded, a kit within it is what that is made of, down to what is not made of anything.
    """
    if not explode:
        return list(structure[kit_id])
    needs = {kit_id: Decimal(1)}
    with localcontext(_EXACT):
        for each in _downwards(kit_id, structure):
            quantity = needs.pop(each)
            for part in structure[each]:
                needs[part.item_id] = needs.get(part.item_id, _NOTHING) + quantity * part.quantity
    return [Component(*need) for need in needs.items()]


def assemblable(components: Iterable[Component], available: Mapping[UUID, Decimal]) -> Decimal:
    """Return how many whole kits one assembly could make of these, as they lie there."""
    return min(
        (available.get(each.item_id, _NOTHING) // each.quantity for each in components),
        default=_NOTHING,
    )


def makeable(kit_id: UUID, structure: Structure, available: Mapping[UUID, Decimal]) -> int:
    """Return how many whole kits could be made of what is available.

    Kits within it are taken as they are there, and the rest of them made first.
    """
    order = _downwards(kit_id, structure)

    def is_enough(kits: int) -> bool:
        needs = {kit_id: Decimal(kits)}
        for each in order:
            there = _NOTHING if each == kit_id else available.get(each, _NOTHING)
            to_make = max(needs.pop(each) - there, _NOTHING)
            for part in structure[each]:
                more = to_make * part.quantity
                needs[part.item_id] = needs.get(part.item_id, _NOTHING) + more
        return all(need <= available.get(item_id, _NOTHING) for item_id, need in needs.items())

    enough, too_many = 0, 1
    with localcontext(_EXACT):
        while too_many < _MOST and is_enough(too_many):
            enough, too_many = too_many, too_many * 2
        while too_many - enough > 1:
            middle = (enough + too_many) // 2
            enough, too_many = (middle, too_many) if is_enough(middle) else (enough, middle)
    return enough


def first_expiry(days: Iterable[date | None]) -> date | None:
    """Return the earliest of the days on which components expire; None if none does."""
    return min((day for day in days if day is not None), default=None)


def outlasts(day: date | None, limit: date) -> bool:
    """Say whether what expires on a day, or never, may be issued after the limit."""
    return day is None or day > limit


def value_gained(
    kits: Decimal,
    kit_costs: Sequence[Decimal | None],
    parts: Sequence[tuple[Decimal, Decimal | None]],
) -> Decimal:
    """Return how much more components are worth than the kits that are taken apart for them.

    Of a component its quantity and unit cost are given; what has no cost is worth nothing. Of
    several unit costs of the kit, the one counts by which they differ most.
    """
    worth = sum((quantity * (cost or _NOTHING) for quantity, cost in parts), _NOTHING)
    gains = [worth - kits * (cost or _NOTHING) for cost in kit_costs]
    return max(gains, key=abs)


def _downwards(kit_id: UUID, structure: Structure) -> list[UUID]:
    """Return the kits of a structure so that each stands before all kits that are in it."""
    done: list[UUID] = []
    seen: set[UUID] = set()

    def visit(each: UUID) -> None:
        if each in seen or each not in structure:
            return
        seen.add(each)
        for part in structure[each]:
            visit(part.item_id)
        done.append(each)

    visit(kit_id)
    return done[::-1]


def shared_value(value: Decimal, parts: Sequence[tuple[Decimal, Decimal]]) -> list[Decimal] | None:
    """Return the unit costs at which the components of kits worth so much come out of them.

    Of each its quantity and its own unit cost are given: the value is split as these stand to one
    another. None where they are worth nothing.
    """
    total = sum((quantity * cost for quantity, cost in parts), _NOTHING)
    return [value * cost / total for _, cost in parts] if total else None
