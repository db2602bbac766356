from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.kits.rules import (
    Component,
    components_of,
    makeable,
    shared_value,
    value_gained,
)

KIT, INNER, A, B = (UUID(int=number) for number in range(1, 5))
STRUCTURE = {
    KIT: [Component(INNER, Decimal(2)), Component(A, Decimal("0.5"))],
    INNER: [Component(A, Decimal(3)), Component(B, Decimal(1))],
}
few = st.integers(0, 40)


def made(kit, structure, stock):
    """Make one more, kits within it first; return the stock after it, or None."""
    left = dict(stock)

    def take(item, quantity, *, is_top=False):
        there = Decimal(0) if is_top else min(left.get(item, Decimal(0)), quantity)
        if there:
            left[item] -= there
        rest = quantity - there
        if not rest:
            return True
        if item not in structure:
            return False
        return all(take(part.item_id, rest * part.quantity) for part in structure[item])

    return left if take(kit, Decimal(1), is_top=True) else None


def test_a_kit_takes_its_components_and_exploded_what_these_are_made_of():
    assert components_of(KIT, STRUCTURE, explode=False) == STRUCTURE[KIT]
    assert dict(components_of(KIT, STRUCTURE, explode=True)) == {A: Decimal("6.5"), B: Decimal(2)}


def test_what_is_on_several_levels_is_needed_once_in_all():
    structure = {
        KIT: [Component(INNER, Decimal(1)), Component(B, Decimal(1)), Component(A, Decimal(1))],
        INNER: [Component(B, Decimal(1))],
        B: [Component(A, Decimal(2))],
    }

    assert dict(components_of(KIT, structure, explode=True)) == {A: Decimal(5)}


@given(few, few, few, few)
def test_as_many_can_be_made_as_one_after_the_other_succeed(kits, inner, a, b):
    stock = {KIT: Decimal(kits), INNER: Decimal(inner), A: Decimal(a), B: Decimal(b)}
    expected, left = 0, made(KIT, STRUCTURE, stock)
    while left is not None:
        expected, left = expected + 1, made(KIT, STRUCTURE, left)

    assert makeable(KIT, STRUCTURE, stock) == expected


def test_nothing_can_be_made_of_nothing():
    assert makeable(KIT, STRUCTURE, {}) == 0


amounts = st.decimals("0", "9999", places=4)


@given(amounts, st.lists(st.tuples(st.decimals("0.0001", "999", places=4), amounts), min_size=1))
def test_components_share_the_value_whole_and_as_their_costs_stand(value, parts):
    shares = shared_value(value, parts)

    if not any(cost for _, cost in parts):
        assert shares is None
        return
    total = sum(quantity * share for (quantity, _), share in zip(parts, shares, strict=True))
    assert abs(total - value) < Decimal("0.000001")
    for (_, one), share_one in zip(parts, shares, strict=True):
        for (_, other), share_other in zip(parts, shares, strict=True):
            assert abs(one * share_other - other * share_one) < Decimal("0.001")


def test_taking_kits_apart_gains_what_their_components_are_worth_more():
    parts = [(Decimal(4), Decimal(3)), (Decimal(2), None)]

    assert value_gained(Decimal(2), [Decimal(6)], parts) == 0
    assert value_gained(Decimal(2), [Decimal(5), Decimal(9)], parts) == -6
    assert value_gained(Decimal(2), [Decimal(5), Decimal(6)], parts) == 2
    assert value_gained(Decimal(2), [None], parts) == 12
