"""When to leave an instance alone: a circuit breaker, and a budget for second tries."""

from enum import IntEnum
from typing import Final

FAILURES_MAX: Final = 5  # In a row: then it is left alone,
WINDOW_S: Final = 10.0  # or when more than half of at least so many within so long failed.
WINDOW_REQUESTS_MIN: Final = 20
OPEN_MIN_S: Final = 1.0  # For so long at first, twice as long each time it fails again,
OPEN_MAX_S: Final = 30.0  # and never longer than this.
DOUBT_S: Final = 1.0  # After a failure the others come first for so long.
RECOVERY_S: Final = 5.0  # Then the share of requests that it gets grows to all of them.

RETRY_SHARE: Final = 0.2  # Second tries, of all requests,
RETRIES_SAVED_MAX: Final = 10.0  # and so many at once.


class Circuit(IntEnum):
    """What a breaker does with requests, as the metric has it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Closed (all requests pass), open (none), recovering (a share that grows with time).

    The share is for instances that have others beside them to take the rest. One that `is_back` may
    be asked for more: what is refused although it would be answered is a failure of our own making.

    Times are in the event loop's seconds. What failed is told by whoever asked: broken or refused
    connections, time-outs, answers that are none; not the answers of a service that is well.
    """

    __slots__ = (
        "_failed", "_failed_at", "_open_for_s", "_opened_at", "_passed", "_recovering_since",
        "_row", "_seen", "_window_from", "is_closed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.is_closed = True
        self._row = 0  # Failures since the last success.
        self._seen = self._failed = 0  # Within the window.
        self._window_from = 0.0
        self._failed_at = 0.0
        self._open_for_s = OPEN_MIN_S
        self._opened_at = 0.0
        self._recovering_since: float | None = None
        self._passed = 0.0  # What the share has let pass, of what it may.

    def admits(self, now: float) -> bool:
        """Say whether a request may be sent now."""
        if self.is_closed:
            return True
        since = self._recovering_since
        if since is None:
            if now - self._opened_at < self._open_for_s:
                return False
        elif self._row == 0:
            self._passed += min((now - since) / RECOVERY_S, 1.0)
            passes = self._passed >= 1
            self._passed -= passes
            return passes
        elif now - since < RECOVERY_S:
            return False  # The first one is not back; if it never comes back, another one tries.
        self._recovering_since = now
        self._passed = 0.0
        return True

    @property
    def is_back(self) -> bool:
        """Say whether it recovers and the last request shows that it can be reached."""
        return self._recovering_since is not None and self._row == 0

    def is_doubtful(self, now: float) -> bool:
        """Say whether the last request failed, just now.

        Later it is one like the others: who is never asked can never show that it is well.
        """
        return self._row > 0 and now - self._failed_at < DOUBT_S

    def wait_s(self, now: float) -> float:
        """Return how long it stays open; 0 while it is not."""
        if self.is_closed or self._recovering_since is not None:
            return 0.0
        return max(self._opened_at + self._open_for_s - now, 0.0)

    def state(self, now: float) -> Circuit:
        """Return what it does; once its time is over the next request is let through."""
        if self.is_closed:
            return Circuit.CLOSED
        return Circuit.OPEN if self.wait_s(now) else Circuit.HALF_OPEN

    def reached(self) -> None:
        """Note that a connection could be made: while it recovers, more than one may try."""
        if self._recovering_since is not None and not self.is_closed:
            self._row = 0

    def succeeded(self, now: float) -> None:
        """Note that a request was answered."""
        self._row = 0
        self._seen += 1
        if not self.is_closed:
            since = self._recovering_since
            if since is not None and now - since >= RECOVERY_S:
                self.is_closed = True
                self._open_for_s = OPEN_MIN_S
                self._start_window(now)

    def failed(self, now: float) -> None:
        """Note that a request got no answer."""
        if now - self._window_from > WINDOW_S:
            self._start_window(now)
        self._row += 1
        self._seen += 1
        self._failed += 1
        self._failed_at = now
        mostly = self._seen >= WINDOW_REQUESTS_MIN and self._failed * 2 > self._seen
        if self.is_closed:
            if self._row >= FAILURES_MAX or mostly:
                self._open(now)
        elif self._recovering_since is not None:
            self._open_for_s = min(self._open_for_s * 2, OPEN_MAX_S)
            self._open(now)

    def _open(self, now: float) -> None:
        self.is_closed = False
        self._opened_at = now
        self._recovering_since = None
        self._row = 1  # Until one succeeds, the trial request is the only one.

    def _start_window(self, now: float) -> None:
        self._window_from = now
        self._seen = self._failed = 0


class RetryBudget:
    """Lets a fifth of all requests be sent a second time, so that retries never make a flood."""

    __slots__ = ("_saved",)

    def __init__(self) -> None:
        self._saved = RETRIES_SAVED_MAX

    def earn(self) -> None:
        """Note a request."""
        if self._saved < RETRIES_SAVED_MAX:
            self._saved += RETRY_SHARE

    def spend(self) -> bool:
        """Say whether a second try may be made, and count it."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
