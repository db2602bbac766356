"""Commands that the documents show are ones that the programs know.

What they do is tried where it is built: e2e/test_backups.py, e2e/test_operator.py, deploy/.
"""

import re
from importlib import import_module
from importlib.util import find_spec

import pytest

from deploy.backups.__main__ import COMMANDS as BACKUPS
from deploy.local.__main__ import MAINTENANCE
from deploy.local.__main__ import VERBS as LOCAL
from shared.cli import VERBS, _commands
from shared.journal.commands import VERBS as OF_JOURNALS
from tests.support.tree import ROOT

PAGES = ("operations.md", "incidents.md", "compliance.md", "checklist.md")
OF_MODULES = {
    "deploy.local": {*LOCAL, *MAINTENANCE, "checkpoint"},
    "deploy.backups": {*BACKUPS, "work", "key"},
}


def shown(page: str) -> list[tuple[str, str]]:
    """Each module and its first word, as `python -m module word`; with `a|b`, each of them."""
    text = (ROOT / "docs" / page).read_text()
    found = re.findall(r"python -m ([a-z_.]+)(?:\s([a-z][a-z|-]*))?", text)
    return [(module, word) for module, words in found for word in words.split("|")]


@pytest.mark.parametrize("page", PAGES)
def test_a_command_of_a_service_is_known_to_it(page: str):
    unknown = [
        f"{module} {word}"
        for module, word in shown(page)
        if module.startswith("services.")
        and word not in {*VERBS, *OF_JOURNALS, *_commands(module)}
    ]  # fmt: skip

    assert unknown == []


@pytest.mark.parametrize("page", PAGES)
def test_a_program_is_there_and_knows_the_word(page: str):
    modules = {module for module, _ in shown(page)}
    unknown = [
        f"{module} {word}"
        for module, word in shown(page)
        if word and module in OF_MODULES and word not in OF_MODULES[module]
    ]

    assert [module for module in modules if find_spec(module) is None] == []
    assert unknown == []


def test_the_page_of_operations_shows_many():
    assert len(shown("operations.md")) > 20
    assert import_module("deploy.operator.__main__")
