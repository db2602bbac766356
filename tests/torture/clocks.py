"""Clocks that are wrong when told to, by libfaketime: of one process, not of the machine.

A process reads its file every second or two. Where the library is not installed no clock is ever
wrong. In a process that has it `time.sleep` fails (a fault of the library): ours never call it.
"""

from pathlib import Path

CLOCK_READ_S = 2.5  # Until every process has read its file again.
PRELOADED = "LD_PRELOAD"
SKEWED = ("inventory", "inventory-worker")
MISSING = "no clock is wrong: libfaketime is not here (Debian: apt-get install faketime)"
_LIBRARIES = (
    *Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
    *Path("/usr/lib/faketime").glob("libfaketimeMT.so.1"),
)


def find_library() -> Path | None:
    """Return where libfaketime is; None if it is not installed."""
    return next(iter(_LIBRARIES), None)


def set_clock(clock: Path, skew_s: int) -> None:
    """Let the clock be so many seconds ahead, or behind."""
    new = clock.with_suffix(".new")
    new.write_text(f"{skew_s:+d}\n")
    new.replace(clock)


def environment_of(clock: Path, library: Path) -> dict[str, str]:
    """Return what a process is told whose clock may be wrong."""
    return {
        PRELOADED: str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
