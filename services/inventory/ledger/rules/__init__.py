"""What movements do to stock, decided without I/O."""

from services.inventory.ledger.rules.changes import (
    Balance,
    Balances,
    Change,
    Elsewhere,
    Outcome,
    Reference,
    Refusal,
    Reversed,
    Spot,
    Spots,
    item_reference,
    place_reference,
)
from services.inventory.ledger.rules.judge import Late, judge, late_levels, stock_units
from services.inventory.ledger.rules.kinds import (
    CLOCK_TOLERANCE,
    LINES_MAX,
    ON_HAND_MAX,
    REASON_CODES,
    Kind,
    MovementReason,
)
from services.inventory.ledger.rules.timeline import Timeline

__all__ = [
    "CLOCK_TOLERANCE",
    "LINES_MAX",
    "ON_HAND_MAX",
    "REASON_CODES",
    "Balance",
    "Balances",
    "Change",
    "Elsewhere",
    "Kind",
    "Late",
    "MovementReason",
    "Outcome",
    "Reference",
    "Refusal",
    "Reversed",
    "Spot",
    "Spots",
    "Timeline",
    "item_reference",
    "judge",
    "late_levels",
    "place_reference",
    "stock_units",
]
