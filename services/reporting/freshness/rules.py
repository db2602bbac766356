"""How old figures are, decided without I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class FollowedTo:
    """How far one journal is counted in figures: up to the entry that was recorded at this time.

    `is_rebuilding`: more of it had been counted, and it is counted anew.
    """

    producer: str
    xid: int
    seq: int
    recorded_at: datetime | None
    applied_at: datetime | None
    is_rebuilding: bool


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far behind its journal something is; both numbers are None when nobody can tell."""

    status: Literal["current", "behind", "unknown"]
    lag_s: float | None
    entries: int | None


UNKNOWN = Freshness("unknown", None, None)
CURRENT = Freshness("current", 0.0, 0)


def freshness_of(
    followed: FollowedTo, oldest_left: datetime | None, head_seq: int, now: datetime
) -> Freshness:
    """Return how fresh figures are, given the oldest entry that is not in them and the newest's.

    Numbers are given out before entries are committed, so there may be fewer than they say.
    """
    if oldest_left is None:
        return CURRENT
    lag_s = max((now - oldest_left).total_seconds(), 0.0)
    return Freshness("behind", lag_s, max(head_seq - followed.seq, 1))
