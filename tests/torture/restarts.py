"""What clients were told while a process was restarted politely (P7)."""

from collections import Counter
from collections.abc import Iterator

from tests.torture.history import Attempt, Happening, History
from tests.torture.plan import LINKS
from tests.torture.snapshot import Snapshot

FRONT = "gateway"  # While it is away nobody answers.
BACK_WITHIN_S = 5.0  # After its end, until which requests may still meet nobody.
RESTART, AWAY, BAD = "restart", 503, 502


def told_meanwhile(history: History) -> dict[str, Counter[str]]:
    """Return by restarted process how requests under way then were answered, the hitches alone."""
    found: dict[str, Counter[str]] = {}
    for happening in restarts(history):
        counted = found.setdefault(happening.target, Counter())
        for attempt in _under_way(history, happening):
            is_hitch = attempt.status is None or attempt.status >= 500
            counted["hitches" if is_hitch else "answered"] += 1
            if is_hitch:
                counted[str(attempt.status or attempt.fault)] += 1
    return found


def check_restarts(history: History, _snapshot: Snapshot) -> Iterator[str]:
    """P7: who is restarted answers what it has begun; meanwhile the gateway does, with 503.

    502 where the link is between: it takes a connection before it knows that nobody is there.
    """
    for happening in restarts(history):
        if happening.target == FRONT or not _is_alone(history, happening):
            continue
        for attempt in _under_way(history, happening):
            refused = {AWAY, BAD} if happening.target in LINKS else {AWAY}
            if attempt.status is None or (attempt.status >= 500 and attempt.status not in refused):
                what = attempt.status or attempt.fault
                yield f"P7: {attempt.request_id} was told {what} at the restart of {happening}"


def restarts(history: History) -> list[Happening]:
    return [happening for happening in history.happenings if happening.kind == RESTART]


def _is_alone(history: History, happening: Happening) -> bool:
    """Say whether nothing else broke just before or meanwhile."""
    return all(
        other is happening
        or other.ended < happening.started - BACK_WITHIN_S
        or other.started > happening.ended + BACK_WITHIN_S
        for other in history.happenings
    )


def _under_way(history: History, happening: Happening) -> Iterator[Attempt]:
    until = happening.ended + BACK_WITHIN_S
    for operation in history.operations:
        for attempt in operation.attempts:
            if attempt.started <= until and attempt.ended >= happening.started:
                yield attempt
