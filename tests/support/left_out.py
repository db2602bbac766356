"""Which tests were left out on this machine, and why: the lines at the end of a run."""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

import pytest

FILES_SHOWN = 4


def left_out(reports: Iterable[object]) -> list[str]:
    """Return a line for each reason: how many tests it left out, and of which files."""
    files: dict[str, Counter[str]] = {}
    for report in reports:
        if isinstance(report, pytest.TestReport | pytest.CollectReport) and report.skipped:
            counted = files.setdefault(_reason(report), Counter())
            counted[PurePosixPath(report.nodeid.partition("::")[0]).name] += 1
    lines = []
    for reason, counted in sorted(files.items()):
        names = sorted(counted)
        more = [f"{len(names) - FILES_SHOWN} more"] if len(names) > FILES_SHOWN else []
        told = ", ".join([*names[:FILES_SHOWN], *more])
        lines.append(f"left out: {counted.total()}, {reason} ({told})")
    return lines


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why; pytest keeps it as (file, line, "Skipped: why")."""
    told = report.longrepr
    text = told[2] if isinstance(told, tuple) else str(told)
    return text.removeprefix("Skipped: ")
