"""What clients asked for and were told: the one record that a run is judged by."""

import re
from dataclasses import dataclass, field
from typing import Any

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
PASSING = {
    "idempotency_in_progress"
}  # Refusals that tell nothing of the request: another is at it.
SLOW = re.compile("/inventory/(movements/bulk|counts)")
AWAITS = 202  # Somebody else's approval.


@dataclass(slots=True)
class Attempt:
    """One sending of a request. Without a status nobody knows what became of it."""

    request_id: str
    started: float  # Seconds since the run began.
    ended: float
    status: int | None = None
    answer: Any = None  # The JSON.
    fault: str = ""  # Why there is no answer, or what is wrong with its form.
    retry_after: str = ""  # As the header says it.
    is_late: bool = False  # The client had waited longer than it should ever need to.

    @property
    def is_definite(self) -> bool:
        """Say whether it tells what became of the request."""
        if self.status is None or self.status in RETRIED:
            return False
        return self.code not in PASSING

    @property
    def is_done(self) -> bool:
        """Say whether it tells that the request was carried out."""
        return self.status is not None and self.status < 300

    @property
    def code(self) -> str:
        return self.answer.get("code", "") if isinstance(self.answer, dict) else ""


@dataclass(slots=True)
class Operation:
    """A request under one Idempotency-Key, with all of its sendings."""

    name: str  # Its key, its reference, and the beginning of its request ids.
    client: int
    actor: str
    kind: str
    method: str
    path: str
    body: Any = None
    is_altered: bool = False  # Another body under a key that was used: to be refused.
    reservation: str = ""  # The name of what it commits or releases.
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def is_writing(self) -> bool:
        return self.method != "GET"

    @property
    def is_keyed(self) -> bool:
        """Say whether its Idempotency-Key counts: others are the same when they are sent again."""
        return self.method == "POST"

    @property
    def may_take_s(self) -> float:
        """How long its route may take, and a second, and one for us."""
        slow = SLOW.search(self.path)
        return 62.0 if slow else 17.0

    @property
    def is_awaiting(self) -> bool:
        """Say whether it was not done but asked for: somebody else is to approve it."""
        return any(attempt.status == AWAITS for attempt in self.attempts)

    def same(self) -> dict[str, Any]:
        """Return what makes the same request again."""
        names = ("name", "client", "actor", "kind", "method", "path", "body")
        return {name: getattr(self, name) for name in names}

    @property
    def done(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.is_done]

    @property
    def answer(self) -> Any:
        """What it was answered when it was carried out; None if it was not, as far as is known."""
        done = self.done
        return done[0].answer if done else None

    @property
    def is_settled(self) -> bool:
        return any(attempt.is_definite for attempt in self.attempts)

    @property
    def may_be_done(self) -> bool:
        """Say whether an unanswered sending may have been carried out all the same."""
        return any(a.status is None or a.status in RETRIED for a in self.attempts)


@dataclass(slots=True)
class Happening:
    """A fault as it came about."""

    kind: str
    target: str
    started: float
    ended: float


@dataclass(slots=True)
class History:
    """All of a run, as its clients saw it."""

    operations: list[Operation] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    lag_s: float = 0.0  # How long this process itself once stood still.
    slack_s: float = 0.0  # What a machine that is busy with other things is given beside.

    @property
    def writes(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.is_writing]
