"""Prove the suite: take one control after another out of a copy, and see whether it notices.

Each is tried on a system of its own, with the tests that are about it. It is noticed if the table
says that the attack named was not held; that a system does not start, or a test breaks, is none.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.attack.controls import CONTROLS, Change, Control

ROOT = Path(__file__).resolve().parents[2]
LINES_SHOWN = 15


def main(wanted: list[str]) -> int:
    """Try the controls whose names hold one of these words, or all; say how many were noticed."""
    chosen = [c for c in CONTROLS if not wanted or any(word in c.name for word in wanted)]
    for control in CONTROLS:
        for change in control.changes:
            _check(ROOT, change)
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        copy = Path(folder) / "copy"
        _copy_to(copy)
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
    with _without(copy, control):
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


@contextmanager
def _without(copy: Path, control: Control) -> Iterator[None]:
    """Take the control out of the copy, and put it back at the end."""
    before = {change.path: (copy / change.path).read_text() for change in control.changes}
    try:
        for change in control.changes:
            _check(copy, change)
            path = copy / change.path
            path.write_text(path.read_text().replace(change.old, change.new))
        yield
    finally:
        for name, text in before.items():
            (copy / name).write_text(text)


def _check(root: Path, change: Change) -> None:
    """Fail where the text is no longer there: then this proves nothing about the control."""
    found = (root / change.path).read_text().count(change.old)
    if found != 1:
        raise SystemExit(f"{change.path} holds {found} times: {change.old!r}")


def _copy_to(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the developer's git.
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def _run(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    names = [f"tests/attack/{name}" for name in tests]
    return subprocess.run(  # noqa: S603 - our own tests.
        [sys.executable, "-m", "pytest", "--tb=line", *names],
        cwd=copy, check=False, capture_output=True, text=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
