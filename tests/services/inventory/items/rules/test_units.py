"""Units and packs, without a database."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.items.rules import (
    Pack,
    Units,
    exact_product,
    packs_of,
    read_packs,
    stored_packs,
)

CASE, BAG = Pack("Case", Decimal(12)), Pack("bag", Decimal("1.5"))
QUANTITIES = st.decimals("0.0001", "99999999999999.9999", places=4)


@pytest.fixture
def units():
    return Units("each", (CASE, BAG), "Case", Decimal(12))


def test_a_unit_is_found_however_it_is_written(units):
    assert [units.find(name) for name in ("CASE", " bag", "Each", "box")] == [
        CASE, BAG, Pack("each", Decimal(1)), None,
    ]  # fmt: skip
    assert units.names == ["each", "Case", "bag"]


def test_what_it_is_ordered_in_is_one_of_its_packs(units):
    assert units.ordered_in("BAG", None).pack_size == Decimal("1.5")
    assert units.ordered_in("case", Decimal(10)).packs == (Pack("Case", Decimal(10)), BAG)
    assert units.ordered_in("box", None).packs == (CASE, BAG, Pack("box", Decimal(12)))
    assert units.ordered_in(None, None) == Units("each", (CASE, BAG), None, Decimal(12))
    assert units.ordered_in("EACH", Decimal(6)).packs == (CASE, BAG)


@given(QUANTITIES, QUANTITIES)
def test_a_product_is_exact_or_there_is_none(quantity, factor):
    product = exact_product(quantity, factor)

    exact = (int(quantity * 10**4), int(factor * 10**4))
    assert (product is None) == bool(exact[0] * exact[1] % 10**4)
    if product is not None:
        assert int(product.scaleb(4)) == exact[0] * exact[1] // 10**4


def test_packs_are_stored_as_they_are_read():
    stored = stored_packs([CASE, BAG])

    assert read_packs(stored) == (CASE, BAG)
    assert packs_of(orjson.dumps(stored).decode()) == {"case": CASE, "bag": BAG}
