"""What a movement is, and the bounds of what may be asked."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

LINES_MAX = 10_000
CLOCK_TOLERANCE = timedelta(minutes=5)  # How far ahead of ours a client's clock may run.
ON_HAND_MAX = Decimal("99999999999999.9999")  # NUMERIC(18, 4).


class Kind(StrEnum):
    """What a movement is."""

    RECEIPT = "receipt"
    ISSUE = "issue"
    TRANSFER = "transfer"
    RETURN = "return"
    WRITE_OFF = "write_off"
    ADJUSTMENT = "adjustment"
    COUNT_CORRECTION = "count_correction"
    REVERSAL = "reversal"  # Of another movement; recorded by reversing that.
    ASSEMBLY = "assembly"  # Of a kit: its components leave and it comes; recorded with the kit.
    DISASSEMBLY = "disassembly"


class MovementReason(StrEnum):
    """Why stock is written off, adjusted or returned, in a word that can be counted."""

    DAMAGED = "damaged"
    EXPIRED = "expired"
    LOST = "lost"
    STOLEN = "stolen"
    SAMPLE = "sample"
    FOUND = "found"
    MISRECORDED = "misrecorded"
    WRONG_ITEM = "wrong_item"
    NOT_NEEDED = "not_needed"
    TRANSFER_DIFFERENCE = "transfer_difference"
    OTHER = "other"  # Told in the reason.


BRINGS_LOTS = frozenset({Kind.RECEIPT, Kind.ASSEMBLY, Kind.DISASSEMBLY})  # New ones, when they add.
_LOSSES = frozenset(
    {
        MovementReason.DAMAGED,
        MovementReason.EXPIRED,
        MovementReason.LOST,
        MovementReason.STOLEN,
        MovementReason.SAMPLE,
        MovementReason.TRANSFER_DIFFERENCE,
        MovementReason.OTHER,
    }
)
REASON_CODES: Mapping[Kind, frozenset[MovementReason]] = {  # Other kinds have none.
    Kind.RETURN: frozenset(
        {
            MovementReason.DAMAGED,
            MovementReason.EXPIRED,
            MovementReason.WRONG_ITEM,
            MovementReason.NOT_NEEDED,
            MovementReason.OTHER,
        }
    ),
    Kind.WRITE_OFF: _LOSSES,
    Kind.ADJUSTMENT: _LOSSES | {MovementReason.FOUND, MovementReason.MISRECORDED},
}
