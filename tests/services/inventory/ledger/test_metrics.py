"""What operators see of stock that runs out."""

import pytest

from services.inventory.ledger.metrics import count_stockouts, stockouts
from services.inventory.ledger.rules import Refusal
from tests.support.ledger import MAIN, SHOP, History, ago, change, counted, transfer


@pytest.mark.parametrize(
    ("asked", "times"),
    [
        (change(-10), 1),
        (change(-9), 0),
        (change(-11), 0),  # Refused: nothing ran out.
        (counted(0), 1),
        (counted(10), 0),
        (transfer(10), 1),
        (transfer(-4), 1),  # From the other end.
        (change(1), 0),
    ],
)
def test_a_stockout_is_the_moment_in_which_nothing_is_left(asked, times):
    history = History([(MAIN, ago(1), 10), (SHOP, ago(1), 4)])
    before = stockouts._value.get()

    (outcome,) = history.judge(asked)
    count_stockouts(outcome)

    assert stockouts._value.get() - before == times
    assert outcome.refusal in {None, Refusal.NOT_ENOUGH}
