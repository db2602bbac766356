"""What movements do to stock, decided without I/O."""

from services.inventory.ledger.rules.changes import (
    Balance,
    Balances,
    Change,
    Elsewhere,
    Outcome,
    Part,
    Reference,
    Refusal,
    Reversed,
    Spot,
    Spots,
    item_reference,
    place_reference,
)
from services.inventory.ledger.rules.follow import follow_lots
from services.inventory.ledger.rules.judge import (
    Late,
    judge,
    late_levels,
    levels_of,
    stock_units,
)
from services.inventory.ledger.rules.kinds import (
    CLOCK_TOLERANCE,
    LINES_MAX,
    ON_HAND_MAX,
    REASON_CODES,
    Kind,
    MovementReason,
)
from services.inventory.ledger.rules.lots import (
    NO_LOT,
    TRACKS_LOTS,
    Level,
    Lot,
    LotName,
    Lots,
    lot_name,
)
from services.inventory.ledger.rules.timeline import Timeline

__all__ = [
    "CLOCK_TOLERANCE",
    "LINES_MAX",
    "NO_LOT",
    "ON_HAND_MAX",
    "REASON_CODES",
    "TRACKS_LOTS",
    "Balance",
    "Balances",
    "Change",
    "Elsewhere",
    "Kind",
    "Late",
    "Level",
    "Lot",
    "LotName",
    "Lots",
    "MovementReason",
    "Outcome",
    "Part",
    "Reference",
    "Refusal",
    "Reversed",
    "Spot",
    "Spots",
    "Timeline",
    "follow_lots",
    "item_reference",
    "judge",
    "late_levels",
    "levels_of",
    "lot_name",
    "place_reference",
    "stock_units",
]
