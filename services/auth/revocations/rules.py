"""How far back revocations are told."""

from datetime import datetime, timedelta

MARGIN = timedelta(minutes=2)  # For clocks that differ and transactions that commit late.


def relevant_since(now: datetime, access_ttl_s: int) -> datetime:
    """Return the moment before which every access token has expired by itself."""
    return now - timedelta(seconds=access_ttl_s) - MARGIN
