"""The rules of the house that no linter knows."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import nodes, product_files, python_files, services, shown

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base_service"}
# shared.db opens and closes transactions at the edge; nothing else may.
TRANSACTION_ENDS = {"commit", "rollback"}

SILENCED = re.compile(
    r"#\s*(?:noqa(?P<codes>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?"
    r"|type:\s*ignore(?P<kinds>\[[a-z, -]+\])?"
    r"|pragma:\s*no cover(?P<cover>))(?P<reason>.*)$",
    re.MULTILINE,
)


def silenced_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Every comment that silences a check and does not say which and why."""
    text = path.read_text()
    if not SILENCED.search(text):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        found = SILENCED.search(token.string) if token.type == tokenize.COMMENT else None
        if found is None:
            continue
        named = any(found[group] is not None for group in ("codes", "kinds", "cover"))
        if not named or not re.search(r"[A-Za-z]{3}", found["reason"]):
            yield token.start[0], token.string


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_the_files_are_found():
    assert len(python_files()) > 100
    assert {service.name for service in services()} == {
        "auth", "forecasting", "inventory", "reporting",
    }  # fmt: skip


def test_no_file_is_long():
    lines = {shown(path): len(path.read_text().splitlines()) for path in python_files()}

    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_function_is_long():
    long = {
        f"{shown(path)}: {function.name}": lines_of(function)
        for path in python_files()
        for function in functions(path)
        if lines_of(function) > FUNCTION_LINES_MAX
    }

    assert long == {}


def test_no_check_is_silenced_without_its_reason():
    unexplained = [
        f"{shown(path)}:{line}: {comment}"
        for path in python_files()
        for line, comment in silenced_lines(path)
    ]

    assert unexplained == []


@pytest.mark.parametrize(
    ("comment", "is_explained"),
    [
        ("# noqa: E501 - a table reads better in one line.", True),
        ("# type: ignore[arg-type]  # asyncpg has no types.", True),
        ("# noqa: E501, ANN401 - any JSON value.", True),
        ("# noqa: E501", False),
        ("# noqa - because", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore  # because", False),
        ("# pragma: no cover", False),
        ("# pragma: no cover - the loop returns.", True),
    ],
)
def test_what_counts_as_a_reason(tmp_path, comment, is_explained):
    path = tmp_path / "code.py"
    path.write_text(f"x = 1  {comment}\n")

    assert (list(silenced_lines(path)) == []) is is_explained


def test_no_module_has_a_name_that_says_nothing():
    assert [shown(p) for p in product_files() if {p.stem, p.parent.name} & VAGUE_NAMES] == []


def test_connections_to_the_database_are_opened_in_one_place():
    """It decides on TLS; what asyncpg takes by itself is not checked."""
    openers = {"connect", "create_pool"}
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in product_files()
        if shown(path) != "shared/db/connecting.py"
        and shown(path).startswith(("shared/", "services/", "gateway/", "deploy/"))
        # PostgreSQL's own programs, which backups need beside, speak no TLS.
        and not shown(path).startswith("deploy/backups/")
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr in openers
        and isinstance(node.value, ast.Name)
        and node.value.id == "asyncpg"
    ]

    assert wrong == []


def test_only_shared_ends_transactions():
    wrong = [
        f"{shown(path)}:{node.lineno}: {node.func.attr}()"
        for path in product_files()
        if path.name != "versions" and not shown(path).startswith(("shared/", "deploy/"))
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in TRANSACTION_ENDS
    ]

    assert wrong == []


def test_the_environment_is_read_by_settings_alone():
    """Elsewhere it may be set, never read."""
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in product_files()
        if shown(path).startswith(("services/", "gateway/", "shared/"))
        and path.name != "settings.py"
        for node in nodes(path)
        if (isinstance(node, ast.Attribute) and node.attr in {"getenv", "environb"})
        or (isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ")
        or (isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ.get")
    ]

    assert wrong == []


def test_nothing_prints_but_what_talks_to_a_person():
    talkative = ("deploy/", "demo/", "benchmarks/", "tests/", "shared/db/migrate.py")
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files()
        if not shown(path).startswith(talkative)
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert wrong == []


def test_metric_names_carry_their_unit_and_service():
    """As OBSERVABILITY has them: seconds, bytes, `_total` for counters."""
    wrong = []
    for path in product_files():
        for node in nodes(path):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in {"Counter", "Histogram"} or not node.args:
                continue
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            endings = (
                ("_total",) if node.func.id == "Counter"
                else ("_seconds", "_bytes", "_ratio", "_percent")
            )  # fmt: skip
            if isinstance(name, str) and name and not name.endswith(endings):
                wrong.append(f"{shown(path)}: {name}")

    assert wrong == []
