"""Prove the checker: plant one bug after another in a copy, and see whether the torture catches it.

A bug is caught if violations are told; that a system does not start, or a run breaks, is none.
"""

import subprocess
import sys
import time
from pathlib import Path

from tests.support.scratch import ROOT, changed, require_once, scratch_copy
from tests.torture.bugs import BUGS, Bug
from tests.torture.plan import Fault, as_text

CLIENTS = 16
SEED = "proof"
LINES_SHOWN = 15
ALL_AT_ONCE = (
    Fault(2, "cut_commits", "postgres", 0.6),
    Fault(4, "lose_commits", "postgres", 0.6),
    Fault(6, "kill", "inventory"),
    Fault(8, "lose", "clients", 0.6),
)


def main(wanted: list[str]) -> int:
    """Plant the bugs whose names hold one of these words, or all; say how many were caught."""
    chosen = [bug for bug in BUGS if not wanted or any(word in bug.name for word in wanted)]
    for bug in BUGS:
        for change in bug.changes:
            require_once(ROOT, change)
    with scratch_copy() as copy:
        whole = _run(copy, Bug("", (), ALL_AT_ONCE))
        if whole.returncode:
            _show(whole)
            _say("the torture finds violations in the tree as it is: there is nothing to prove")
            return 1
        caught = sum(_is_caught(copy, bug) for bug in chosen)
    _say(f"caught {caught}/{len(chosen)}")
    return 0 if caught == len(chosen) else 1


def _is_caught(copy: Path, bug: Bug) -> bool:
    started = time.monotonic()
    with changed(copy, bug.changes):
        run = _run(copy, bug)
    told = [line for line in run.stdout.splitlines() if "  VIOLATION " in line]
    caught = run.returncode == 1 and bool(told)
    took_s = time.monotonic() - started
    _say(f"{'caught' if caught else 'NOT CAUGHT':<10} {bug.name}, {took_s:.0f} s")
    if caught:
        _say(f"           {told[0].strip()[:160]}")
    else:
        _show(run)
    return caught


def _run(copy: Path, bug: Bug) -> subprocess.CompletedProcess[str]:
    (copy / "planned").write_text(as_text(list(bug.faults)))
    command = (
        *(sys.executable, "-m", "tests.torture", "--seed", SEED, "--faults", "planned"),
        *("--seconds", str(bug.seconds), "--clients", str(CLIENTS)),
    )
    return subprocess.run(  # noqa: S603 - our own command.
        command, cwd=copy, check=False, capture_output=True, text=True
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _show(run: subprocess.CompletedProcess[str]) -> None:
    _say("\n".join((run.stdout + run.stderr).splitlines()[-LINES_SHOWN:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
