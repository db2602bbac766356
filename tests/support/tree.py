"""The project's own files and packages, for the tests of the architecture."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file that is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607 - the developer's git.
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return tuple(ROOT / name for name in sorted(listed.stdout.split()) if (ROOT / name).exists())


def product_files() -> list[Path]:
    return [path for path in python_files() if path.relative_to(ROOT).parts[0] != "tests"]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a file's syntax tree, walked once for all tests."""
    return tuple(ast.walk(parsed(path)))


def services() -> list[Path]:
    """The packages of the services."""
    return sorted(path.parent for path in (ROOT / "services").glob("*/__init__.py"))


def modules_imported(path: Path) -> Iterator[str]:
    """The full names that a file imports, `from a import b` as `a.b`."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
