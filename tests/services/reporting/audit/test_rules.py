from hypothesis import given
from hypothesis import strategies as st

from services.reporting.audit.rules import Numbers

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 200_000))


@given(NUMBERS, NUMBERS)
def test_what_is_left_is_what_was_added_and_not_removed(added, removed):
    numbers = Numbers()
    numbers.add(added)
    numbers.remove(removed)

    assert numbers.first() == min(set(added) - set(removed), default=None)
