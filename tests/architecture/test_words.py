"""One language in all services: CONTRIBUTING.md has the table, docs/glossary.md the words."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.support.tree import ROOT, modules_imported, nodes, parsed, product_files, shown

# What some say elsewhere, and what we say.
SYNONYMS = {
    "create": "add", "delete": "remove", "edit": "change", "fetch": "get", "insert": "add",
    "load": "get", "show": "get", "update": "change",
}  # fmt: skip
# A verb alone says nothing of what it is done to.
NEVER_BARE = {"add", "change", "find", "get", "hold", "list", "page", "remove"}
# Public class names that stand for two things, and why they may.
TWICE = {
    "Settings": "One for each program, as the house has it.",
    "Page": "A page of the gateway is a page for people; the gateway knows no lists.",
    "ItemNotFound": "Two services that know items; neither imports the other.",
    "Origin": "What a model and what a movement came from, in two services.",
}
# Services that open a transaction or take a connection of their own, and why.
HOT = {
    "services/inventory/items/service/reading.py": "The list and the search, ADR 0006.",
    "services/inventory/ledger/queries/lots.py": "A savepoint: a lot may be somebody else's.",
    "services/inventory/ledger/service/batching.py": "A group is a transaction, ADR 0005.",
    "services/inventory/ledger/service/read.py": "Look-ups on the hot path, ADR 0012.",
    "services/inventory/locations/service.py": "What a caller may know of, on the hot path.",
    "services/inventory/serials/service.py": "Scans, as the look-ups of stock, ADR 0012.",
    "services/inventory/stock/service.py": "Look-ups on the hot path, ADR 0012.",
    "services/inventory/verification/queries/__init__.py": "A savepoint: bad data may fail it.",
}
BELOW_ROUTES = {"service", "queries", "schemas", "models", "rules"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files_of(*layers: str) -> list[Path]:
    """The files of these layers, in every feature of every service."""
    found = []
    for path in product_files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] == "services" and len(parts) > 3 and parts[3] in layers:
            found.append(path)
    return found


def functions(path: Path) -> Iterator[Function]:
    return (node for node in nodes(path) if isinstance(node, Function))


def test_the_layers_are_found():
    assert len(files_of("routes")) > 15
    assert len(files_of("service")) > 20


def test_routes_and_services_use_the_verbs_of_the_house():
    wrong = [
        f"{shown(path)}: {name}"
        for path in files_of("routes", "service")
        for name in (node.name for node in parsed(path).body if isinstance(node, Function))
        if name in NEVER_BARE or name.split("_")[0] in SYNONYMS
    ]

    assert wrong == []


def test_who_asks_is_the_caller():
    wrong = [
        f"{shown(path)}: {function.name}({argument.arg})"
        for path in files_of("routes", "service")
        for function in functions(path)
        for argument in (*function.args.args, *function.args.kwonlyargs)
        if argument.annotation is not None
        and re.match(r"Principal\b|Can[A-Z]", ast.unparse(argument.annotation))
        and argument.arg.removeprefix("_") != "caller"
    ]

    assert wrong == []


def test_a_function_that_returns_a_bool_says_which_question_it_answers():
    wrong = [
        f"{shown(path)}: {function.name}"
        for path in product_files()
        if shown(path).startswith(("services/", "shared/", "gateway/", "deploy/"))
        for function in functions(path)
        if function.returns is not None
        and ast.unparse(function.returns) == "bool"
        and "say whether" not in (ast.get_docstring(function) or "say whether").lower()
    ]

    assert wrong == []


def test_no_public_class_name_stands_for_two_things():
    places = defaultdict(list)
    for path in product_files():
        if shown(path).startswith(("services/", "shared/", "gateway/", "deploy/")):
            for node in parsed(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(shown(path))
    twice = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: found for name, found in twice.items() if name not in TWICE} == {}
    assert TWICE.keys() - twice.keys() == set()


def test_below_the_routes_nothing_knows_of_the_web():
    wrong = [
        f"{shown(path)} -> {name}"
        for path in files_of(*BELOW_ROUTES)
        for name in modules_imported(path)
        if name.startswith("shared.web")
    ]

    assert wrong == []


def test_services_open_no_transactions_of_their_own():
    opening = {"transaction", "begin", "begin_nested", "hot"}
    found = {
        shown(path)
        for path in files_of("service", "queries", "rules")
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in opening
    }

    assert found == set(HOT)


def test_the_glossary_is_there_and_its_words_are_told_apart():
    rows = re.findall(
        r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE
    )

    assert 30 <= len(rows) <= 60
    assert sorted(rows) == rows
    assert len(set(rows)) == len(rows)
