"""What the cache's own counters say."""


def hit_rate(hits: int, misses: int) -> float | None:
    """Return the share of look-ups that found something; None before the first."""
    looked_up = hits + misses
    return round(hits / looked_up, 4) if looked_up else None
