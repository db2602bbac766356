"""What deploy/Dockerfile copies reaches the build, and holds all that its programs import."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from deploy.local.settings import ROOT

STAGES = {
    name: (base, text)
    for base, name, text in re.findall(
        r"^FROM (\S+) AS (\w+)\n(.*?)(?=^FROM |\Z)",
        (ROOT / "deploy" / "Dockerfile").read_text(),
        re.MULTILINE | re.DOTALL,
    )
}
ALLOWED = [
    line.removeprefix("!").rstrip("/")
    for line in (ROOT / ".dockerignore").read_text().splitlines()
    if line.startswith("!")
]
OURS = {"deploy", "gateway", "services", "shared"}
PROGRAMS = [
    ("gateway", "gateway", "gateway"),
    *(("service", s, f"services.{s}") for s in ("auth", "inventory", "forecasting", "reporting")),
    ("backup", "backup", "deploy.backups"),
    ("backup", "backup", "deploy.mirror"),
    ("bootstrap", "gateway", "deploy.postgres"),
]


def copied(stage: str, extra: str) -> set[str]:
    """Return the sources that a stage and those below it copy from the checkout."""
    if stage not in STAGES:
        return set()
    base, text = STAGES[stage]
    here = re.findall(r"^COPY (?!--from)(\S+) \S+$", text.replace("${EXTRA}", extra), re.MULTILINE)
    return {source.rstrip("/") for source in here} | copied(base, extra)


@cache
def named(file: Path) -> Sequence[str]:
    """Return the modules that a file imports, and what may be one."""
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def imported(package: str) -> Iterator[Path]:
    """Yield the files of ours that a program loads, in the end or at once."""
    todo, seen = [package, f"{package}.__main__"], set()
    while todo:
        module = todo.pop()
        path = ROOT / module.replace(".", "/")
        file = next(
            (f for f in (path.with_suffix(".py"), path / "__init__.py") if f.exists()), None
        )
        if file is None or module in seen or module.partition(".")[0] not in OURS:
            continue
        seen.add(module)
        yield file
        todo += named(file)


def is_within(path: str, folders: set[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


@pytest.mark.parametrize(("stage", "extra", "package"), PROGRAMS)
def test_an_image_holds_what_its_program_imports(stage, extra, package):
    sources = copied(stage, extra)
    needed = {str(file.relative_to(ROOT)) for file in imported(package)}

    assert len(needed) > 3
    # Folders without an `__init__.py` of their own are packages all the same.
    assert {file for file in needed if not is_within(file, sources)} == set()


@pytest.mark.parametrize(("stage", "extra", "_package"), PROGRAMS)
def test_what_is_copied_is_not_kept_from_the_build(stage, extra, _package):
    for source in copied(stage, extra):
        assert (ROOT / source).exists(), source
        assert is_within(source, set(ALLOWED)), source
