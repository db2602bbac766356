"""When a signing key is published, signs, and is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

NOTICE: Final = timedelta(seconds=30)  # Between publishing a key and signing with it.
ACCESS_TTL_MAX: Final = timedelta(seconds=3600)  # As JWT_ACCESS_TTL may be.
MARGIN: Final = timedelta(minutes=5)  # For clocks that differ.


class Dated(Protocol):
    """A key as the table has it."""

    @property
    def added_at(self) -> datetime: ...

    @property
    def signs_from(self) -> datetime: ...


K = TypeVar("K", bound=Dated)


def signing_key(keys: Sequence[K], now: datetime) -> K | None:
    """Return the key to sign with: the newest that signs already, else the one to sign first."""
    ready = [key for key in keys if key.signs_from <= now]
    if ready:
        return max(ready, key=lambda key: (key.signs_from, key.added_at))
    return min(keys, key=lambda key: key.signs_from, default=None)


def end_of_earlier(signs_from: datetime) -> datetime:
    """Return when keys are over whose successor signs from this moment on."""
    return signs_from + ACCESS_TTL_MAX + MARGIN


def is_rotation_due(newest_added_at: datetime, now: datetime, *, days: int) -> bool:
    """Say whether the newest key is old enough to be followed; with 0 days none ever is."""
    return days > 0 and now - newest_added_at >= timedelta(days=days)
