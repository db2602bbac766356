"""Each item of the security checklist is proven by a marked test, or it is said why not."""

import ast
import re

from tests.support.tree import ROOT, nodes, python_files

PAGE = ROOT / "docs" / "security.md"
ITEMS = {"A": 11, "B": 11, "C": 19, "D": 8, "E": 12, "F": 14}
WORDS_MIN = 4  # Of a reason.
MARK = "pytest.mark.asvs"


def ids() -> set[str]:
    return {f"{letter}{n:02}" for letter, count in ITEMS.items() for n in range(1, count + 1)}


def marked() -> set[str]:
    """The ids written literally in marks of tests."""
    return {
        str(argument.value)
        for path in python_files()
        if path.name.startswith("test_")
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == MARK
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


def rows(section: str) -> dict[str, str]:
    """The rows of the table below a heading of the page, by their id."""
    _, _, rest = PAGE.read_text().partition(f"\n{section}\n")
    return dict(re.findall(r"^\| ([A-F]\d\d) \| (.+) \|$", rest.split("\n## ")[0], re.MULTILINE))


def test_the_checklist_is_whole():
    assert set(rows("## The checklist")) == ids()


def test_each_item_is_proven_by_a_mark_or_has_a_reason_why_not():
    unproven = set(rows("## Not proven"))

    assert ids() - marked() - unproven == set()
    assert unproven & marked() == set(), "proven by now: take the row away"


def test_marks_and_reasons_are_about_items_that_there_are():
    assert marked() - ids() == set()
    assert [i for i, why in rows("## Not proven").items() if len(why.split()) < WORDS_MIN] == []
