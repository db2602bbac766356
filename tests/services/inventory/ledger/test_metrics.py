"""What operators see of stock that runs out."""

from decimal import Decimal
from uuid import uuid4

import pytest

from services.inventory.ledger.metrics import count_stockouts, stockouts
from services.inventory.ledger.rules import Balance, Lot, Lots, Refusal, judge
from tests.support.ledger import MAIN, NOW, SHOP, SPOTS, History, ago, change, counted, transfer


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


@pytest.mark.parametrize(("quantity", "times"), [(-5, 0), (-8, 1), (-7, 0), (-9, 0)])
def test_of_several_lots_the_last_unit_of_the_last_is_what_runs_out(quantity, times):
    lots = {lot.id: lot for lot in (Lot(uuid4(), "L1"), Lot(uuid4(), "L2"))}
    levels = {(*MAIN[:2], lot_id): Balance(Decimal(4)) for lot_id in lots}
    spots = {pair: spot._replace(tracking="lot") for pair, spot in SPOTS.items()}
    before = stockouts._value.get()

    [outcome] = judge(
        [change(quantity)], spots, levels, NOW, atomic=False, lots=Lots(at={MAIN[:2]: lots})
    )
    count_stockouts(outcome)

    assert stockouts._value.get() - before == times
