"""What compliance and incidents name is there: an auditor looks it up."""

import re
import shlex
from pathlib import Path

import pytest

from deploy.operator.__main__ import _parser
from tests.architecture.test_docs import controls_of
from tests.support.documents import commands_of
from tests.support.tree import ROOT

DOCS = ROOT / "docs"
COMPLIANCE = (DOCS / "compliance.md").read_text()
PLACES = {"TENANT": "all", "EMAIL": "a@example.com", "FOLDER": "evidence"}


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_control_says_what_shows_it():
    bare = [
        row[0] for row in rows(COMPLIANCE)
        if row[0] not in {"control", "article"} and not re.search(r"`[^`]+`", row[-2])
    ]  # fmt: skip

    assert len(rows(COMPLIANCE)) > 30
    assert bare == []


def test_every_test_that_is_named_is_there():
    missing = {
        f"{path}::{name}"
        for path, name in controls_of(COMPLIANCE)
        if not re.search(rf"def {name}\(", (ROOT / "tests" / path).read_text())
    }

    assert len(controls_of(COMPLIANCE)) > 10
    assert missing == set()


def test_every_file_or_folder_that_is_named_is_there():
    shown = [cell for row in rows(COMPLIANCE) for cell in row]
    named = {
        path
        for cell in shown
        for path in re.findall(r"`([\w-]+(?:/[\w.-]+)+|[A-Z]+\.md)`", cell)
        if not path.startswith("api/")
    }

    missing = [
        path for path in named if not any((ROOT / at / path).exists() for at in ("", "tests"))
    ]
    assert len(named) > 10
    assert missing == []


@pytest.mark.parametrize("page", ["compliance.md", "incidents.md", "checklist.md"])
def test_every_target_that_is_named_can_be_made(page: str):
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", (DOCS / page).read_text()))

    assert named - rules == set()


def test_every_command_of_an_incident_can_be_read():
    read = 0
    for command in commands_of(DOCS / "incidents.md"):
        words = shlex.split(Path(command).name if command.startswith("(") else command)
        if words[:2] != ["make", "incident"]:
            continue
        given = dict(word.split("=", 1) for word in words[2:])
        told = given["ARGUMENTS"]
        for name, value in PLACES.items():
            told = told.replace(f"${name}", value)
        _parser().parse_args(["incident", given["DO"], *shlex.split(told)])
        read += 1

    assert read > 8
