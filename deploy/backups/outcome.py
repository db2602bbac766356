"""What a restore or a drill came to: kept as its evidence."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Say = Callable[[str], None]


@dataclass
class RestoreOutcome:
    """What a restore or a drill came to, as its evidence has it."""

    kind: str
    cluster: str
    backup: str
    asked_for: str | None
    started_at: str
    ok: bool = False
    error: str | None = None
    duration_s: float = 0.0
    bytes_proved: int = 0
    reached_lsn: str | None = None
    last_commit: str | None = None
    steps: dict[str, float] = field(default_factory=dict)  # Seconds each took.
    checks: dict[str, str] = field(default_factory=dict)  # What each check said.
    behind: list[str] = field(default_factory=list)  # Journals that had gone on from there.

    @contextmanager
    def step(self, name: str, say: Say) -> Iterator[None]:
        """Time one step, and say so."""
        began = time.monotonic()
        yield
        self.steps[name] = round(time.monotonic() - began, 3)
        say(f"{name:<12} {self.steps[name]:6.1f} s")
