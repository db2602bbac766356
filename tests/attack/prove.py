"""Prove the suite: take one control after another out of a copy, and see whether it notices.

Each is tried on a system of its own, with the tests that are about it. It is noticed if the table
says that the attack named was not held; that a system does not start, or a test breaks, is none.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from tests.attack.controls import CONTROLS, Control
from tests.support.scratch import ROOT, changed, require_once, scratch_copy

LINES_SHOWN = 15


def main(wanted: list[str]) -> int:
    """Try the controls whose names hold one of these words, or all; say how many were noticed."""
    chosen = [c for c in CONTROLS if not wanted or any(word in c.name for word in wanted)]
    for control in CONTROLS:
        for change in control.changes:
            require_once(ROOT, change)
    with scratch_copy() as copy:
        whole = _run(copy, sorted({control.tests for control in chosen}))
        if whole.returncode:
            print("\n".join(whole.stdout.splitlines()[-LINES_SHOWN:]))
            print("the suite does not pass as the tree is: there is nothing to prove")
            return 1
        noticed = sum(_is_noticed(copy, control) for control in chosen)
    print(f"noticed {noticed}/{len(chosen)}")
    return 0 if noticed == len(chosen) else 1


def _is_noticed(copy: Path, control: Control) -> bool:
    started = time.monotonic()
    with changed(copy, control.changes):
        run = _run(copy, [control.tests])
    counts = re.search(rf"^{re.escape(control.attack)} +(\d+) +(\d+)$", run.stdout, re.MULTILINE)
    noticed = run.returncode == 1 and counts is not None and int(counts[2]) < int(counts[1])
    shown = f"{counts[2]} of {counts[1]} held" if counts else "the attack was not tried"
    took_s = time.monotonic() - started
    print(f"{'noticed' if noticed else 'NOT NOTICED':<12} {control.name}: {shown}, {took_s:.0f} s")
    if not noticed:
        print("\n".join(run.stdout.splitlines()[-LINES_SHOWN:]))
    sys.stdout.flush()
    return noticed


def _run(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    names = [f"tests/attack/{name}" for name in tests]
    return subprocess.run(  # noqa: S603 - our own tests.
        [sys.executable, "-m", "pytest", "--tb=line", *names],
        cwd=copy, check=False, capture_output=True, text=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
