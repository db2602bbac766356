"""What the documents point at is there."""

import re
from pathlib import Path

import pytest

from tests.support.tree import ROOT

ADR_LINES_MAX = 60
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def controls_of(text: str) -> set[tuple[str, str]]:
    """The (file, function) pairs of `path::name`; a bare `::name` belongs to the path before it."""
    found = set()
    path = ""
    for given, name in re.findall(r"`([\w/.]*)::(\w+)`", text):
        path = given or path
        found.add((path, name))
    return found


@each_page
def test_a_link_leads_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+)", page.read_text())
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (page.parent / target).exists()] == []


@each_page
def test_a_path_from_the_root_is_there(page: Path):
    roots = "gateway|services|shared|deploy|demo|benchmarks|tests|docs|requirements"
    paths = re.findall(rf"`((?:{roots})/[\w./-]*[\w/])`", page.read_text())

    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_test_named_for_a_control_is_there():
    named = controls_of((ROOT / "docs" / "security.md").read_text())

    missing = {
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"def {name}\(", (ROOT / "tests" / path).read_text())
    }
    assert len(named) > 30
    assert missing == set()


def test_decisions_are_numbered_and_short():
    assert [page.name[:4] for page in DECISIONS] == [
        f"{n:04}" for n in range(1, len(DECISIONS) + 1)
    ]
    for page in DECISIONS:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]} ")
        assert len(text.splitlines()) <= ADR_LINES_MAX
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context", "Decision", "Consequences",
        ]  # fmt: skip


def test_what_is_said_to_be_made_can_be_made():
    """A name in `.PHONY` without a rule does nothing, and says that all is well."""
    makefile = (ROOT / "Makefile").read_text()
    rules = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    named = {
        name
        for page in PAGES
        for name in re.findall(
            r"(?:`|^ {4}|\()make (?:-s )?([a-z-]+)", page.read_text(), re.MULTILINE
        )
    }

    assert set(phony) - rules == set()
    assert named - rules == set()
