from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.transfers.rules import arrival_of

quantities = st.decimals("0", "1000", places=4)


@given(quantities, quantities)
def test_what_arrives_accounts_for_what_was_dispatched_to_the_last_unit(dispatched, received):
    arrival = arrival_of(dispatched, received)

    assert arrival.moved + arrival.short == dispatched
    assert arrival.moved + arrival.over == received
    assert min(arrival.short, arrival.over) == 0
    assert all(part >= 0 for part in arrival)


def test_what_is_missing_is_short_and_what_is_more_is_over():
    assert arrival_of(Decimal(10), Decimal(7)) == (7, 3, 0)
    assert arrival_of(Decimal(10), Decimal(12)) == (10, 0, 2)
