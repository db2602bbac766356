"""Decisions of the local stack, without any process or file."""

RESTART_DELAY_FIRST_S = 0.5
RESTART_DELAY_MAX_S = 30.0
STEADY_AFTER_S = 60.0


def crashes_in_a_row(before: int, *, lived_s: float) -> int:
    """Return the length of the crash loop after one more crash.

    A process that lived for STEADY_AFTER_S was well: its crash starts a new count.
    """
    return 1 if lived_s >= STEADY_AFTER_S else before + 1


def restart_delay_s(crashes: int) -> float:
    """Return the pause before the next start, in seconds: doubled with every crash in a row."""
    if crashes < 1:
        raise ValueError("crashes counts from 1")
    doublings = min(crashes - 1, 10)  # 2 ** 10 is far above the maximum already.
    return min(RESTART_DELAY_FIRST_S * 2.0**doublings, RESTART_DELAY_MAX_S)
