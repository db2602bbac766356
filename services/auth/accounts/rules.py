"""Which errands there are, how long one that failed waits, and when it is given up."""

from datetime import timedelta
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["registration", "verification", "reset", "address"]

TRIES_MAX: Final = 8
RETRY: Final = timedelta(seconds=5)  # Doubled each time.


def retry_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many tries; None when the errand is given up."""
    return None if tries >= TRIES_MAX else RETRY * int(2 ** (tries - 1))
