from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.reorder_recommendations.rules import order_quantity

D = Decimal
quantities = st.integers(0, 10**10).map(lambda units: units * D("0.0001"))
packs = st.integers(1, 10**6).map(lambda units: units * D("0.0001"))


@pytest.mark.parametrize(
    ("on_hand", "point", "usual", "par", "pack", "expected"),
    [
        (11, 10, 50, 100, 1, 0),
        (10, 10, 50, None, 1, 50),
        (10, 10, None, 25, 1, 15),
        (3, 10, None, None, 1, 7),
        (3, 10, None, None, 4, 8),
        (3, 10, 20, 100, 12, 108),
        (10, 10, None, None, 6, 6),
        (0, 0, None, None, 1, 1),
        (-5, 10, None, None, 1, 15),
        (3, 10, None, 5, 1, 7),
    ],
)
def test_an_order_reaches_its_target_in_whole_packs(on_hand, point, usual, par, pack, expected):
    found = order_quantity(
        D(on_hand),
        reorder_point=D(point),
        reorder_quantity=None if usual is None else D(usual),
        par_level=None if par is None else D(par),
        pack_size=D(pack),
    )

    assert found == expected


@given(quantities, quantities, st.none() | quantities, st.none() | quantities, packs)
def test_an_order_is_enough_and_less_than_a_pack_too_much(on_hand, point, usual, par, pack):
    found = order_quantity(
        on_hand, reorder_point=point, reorder_quantity=usual, par_level=par, pack_size=pack
    )

    if on_hand > point:
        assert found == 0
    else:
        needed = max(max(point, par or D(0)) - on_hand, usual or D(0), pack)
        assert found % pack == 0
        assert needed <= found < needed + pack
