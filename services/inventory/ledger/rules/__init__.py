"""What movements do to stock, decided without I/O."""

from services.inventory.ledger.rules.judge import (
    Balance,
    Balances,
    Change,
    Late,
    Outcome,
    Reference,
    Refusal,
    Spot,
    Spots,
    judge,
    late_levels,
    reference_to,
)
from services.inventory.ledger.rules.kinds import (
    CLOCK_TOLERANCE,
    LINES_MAX,
    ON_HAND_MAX,
    Kind,
)
from services.inventory.ledger.rules.timeline import Timeline

__all__ = [
    "CLOCK_TOLERANCE",
    "LINES_MAX",
    "ON_HAND_MAX",
    "Balance",
    "Balances",
    "Change",
    "Kind",
    "Late",
    "Outcome",
    "Reference",
    "Refusal",
    "Spot",
    "Spots",
    "Timeline",
    "judge",
    "late_levels",
    "reference_to",
]
