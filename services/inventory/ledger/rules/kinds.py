"""What a movement is, and the bounds of what may be asked."""

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
    ADJUSTMENT = "adjustment"
    COUNT_CORRECTION = "count_correction"
