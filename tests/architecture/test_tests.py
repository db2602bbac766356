"""The rules for tests themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.tree import ROOT, nodes, python_files, shown

TESTS = ROOT / "tests"
WAITING = TESTS / "support" / "waiting.py"


def files() -> list[Path]:
    return [path for path in python_files() if path.is_relative_to(TESTS)]


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    for node in nodes(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield node


def test_a_test_waits_for_a_condition_never_for_a_time():
    """`eventually` and `until` wait; `pause` is for somebody who is slow on purpose."""
    timed = [
        f"{shown(path)}:{call.lineno}: {ast.unparse(call)}"
        for path in files()
        if path != WAITING
        for call in calls(path, "asyncio.sleep", "time.sleep", "sleep")
        if ast.unparse(call.args[0]) != "0"
    ]

    assert timed == []


def test_a_bound_of_waiting_is_the_one_that_suits_a_busy_machine():
    hasty = [
        f"{shown(path)}:{call.lineno}: {ast.unparse(call)}"
        for path in files()
        for call in calls(path, "asyncio.timeout", "asyncio.wait_for")
        if ast.unparse(call.args[-1]) != "PATIENCE_S"
    ]

    assert hasty == []


def test_nothing_runs_a_test_twice():
    settings = (ROOT / "pyproject.toml").read_text() + (ROOT / "requirements/dev.txt").read_text()

    assert [name for name in ("rerun", "flaky", "retry") if f"pytest-{name}" in settings] == []


def test_the_path_of_a_test_of_a_feature_is_the_path_of_its_code():
    """`test_routes.py`, and `test_routes_bulk.py` where one file would be too long."""
    astray = []
    for path in files():
        parts = path.relative_to(TESTS).parts
        if parts[0] != "services" or len(parts) < 4 or not path.name.startswith("test_"):
            continue
        folder = ROOT.joinpath(*parts[:-1])
        name = path.stem.removeprefix("test_")
        modules = {found.stem for found in folder.iterdir()} if folder.is_dir() else set()
        if not any(name == module or name.startswith(f"{module}_") for module in modules):
            astray.append(shown(path))

    assert astray == []
