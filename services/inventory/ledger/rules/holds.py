"""What is held together: all of it or nothing."""

from collections.abc import Sequence
from datetime import datetime

from services.inventory.ledger.rules.changes import Balances, Change, Outcome, Spots
from services.inventory.ledger.rules.judge import judge, levels_of
from services.inventory.ledger.rules.lots import Lots


def judge_hold(
    changes: Sequence[Change],
    spots: Spots,
    balances: Balances,
    now: datetime,
    lots: Lots,
    *,
    is_foreseen: bool = False,
) -> list[Outcome]:
    """Decide changes that only hold stock: all are granted, or one is refused and all are.

    Of what is refused, or only foreseen, nothing is held: the balances are as before, for those
    who ask next.
    """
    touched = {level for change in changes for level in levels_of(change, spots, lots)}
    before = [(balances[level], balances[level].held) for level in touched if level in balances]
    outcomes = judge(changes, spots, balances, now, atomic=True, lots=lots)
    if is_foreseen or any(outcome.refusal for outcome in outcomes):
        for balance, held in before:
            balance.reserved, balance.holds_until = held
    return outcomes
