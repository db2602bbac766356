"""What the logs of the system tell that no client was told."""

import re
from pathlib import Path

SHOWN_MAX = 3
# All commands lock in one order, so nobody ever waits in a circle.
_DEADLOCK = re.compile(r"deadlock detected")
_UNHANDLED = re.compile(r"DeadlockDetected|SerializationError|LockNotAvailable|violates check")


def check_logs(folder: Path) -> list[str]:
    """Return the lines that must not be there."""
    found: list[str] = []
    for path in sorted(folder.glob("*.log")):
        wanted = _DEADLOCK if path.stem == "postgres" else _UNHANDLED
        with path.open(errors="replace") as lines:
            own = [line.strip()[:400] for line in lines if wanted.search(line)]
        found += [f"log of {path.stem}: {line}" for line in own[:SHOWN_MAX]]
    return found
