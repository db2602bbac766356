"""The lock files: one per extra of pyproject.toml, with hashes and without any index address.

`python -m deploy.locks write` resolves anew (network); `check` says which files no longer belong
to pyproject.toml, without network: each file names the fingerprint of what it was made from.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# `dev` holds everything and is resolved first; the others take its versions.
EXTRAS = ("dev", "all", "gateway", "auth", "inventory", "forecasting", "reporting", "backup")
INSTALLER = "uv"  # The tool that installs the rest has a lock of its own.
INSTALLER_REQUIREMENT = "uv>=0.9"
MARK = "# made from: "


def fingerprint(extra: str, extras: Mapping[str, list[str]], requires_python: str) -> str:
    """Return what a lock depends on, as a short hash: the extra, with extras it names unfolded."""
    wanted = sorted(_unfolded(extra, extras))
    text = json.dumps([requires_python, wanted])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _unfolded(extra: str, extras: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    for requirement in extras[extra]:
        if requirement.startswith("stockwright["):
            names = requirement.removeprefix("stockwright[").rstrip("]").split(",")
            found |= {inner for name in names for inner in _unfolded(name.strip(), extras)}
        else:
            found.add(requirement)
    return found


def fingerprints(pyproject: str) -> dict[str, str]:
    """Return the fingerprint of every lock by name, from the text of pyproject.toml."""
    project = tomllib.loads(pyproject)["project"]
    extras = {**project["optional-dependencies"], INSTALLER: [INSTALLER_REQUIREMENT]}
    python = project["requires-python"]
    return {name: fingerprint(name, extras, python) for name in (*EXTRAS, INSTALLER)}


def stale(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Return the locks that are missing or were made from other requirements."""
    return [
        name
        for name, value in wanted.items()
        if not (folder / f"{name}.txt").is_file()
        or f"{MARK}{value}\n" not in (folder / f"{name}.txt").read_text()
    ]


def write(folder: Path) -> None:
    """Resolve every lock anew with uv; keeps the versions of the existing files where it can."""
    wanted = fingerprints((ROOT / "pyproject.toml").read_text())
    _compile(folder / f"{INSTALLER}.txt", wanted[INSTALLER], ["-"], stdin=INSTALLER_REQUIREMENT)
    for extra in EXTRAS:
        same = [] if extra == "dev" else ["--constraint", str(folder / "dev.txt")]
        source = ["--extra", extra, *same, "pyproject.toml"]
        _compile(folder / f"{extra}.txt", wanted[extra], source)


def _compile(target: Path, made_from: str, source: list[str], stdin: str = "") -> None:
    command = [
        *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
        *("--no-emit-index-url", "--no-annotate", "--python-version", "3.11"),
        *("--custom-compile-command", "make lock", "--output-file", str(target)),
        *source,
    ]
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}  # Trust what the machine trusts.
    subprocess.run(command, cwd=ROOT, check=True, env=environment, input=stdin, text=True)  # noqa: S603 - fixed words.
    locked = target.read_text()
    target.write_text(f"{MARK}{made_from}\n{locked}")


def main(verb: str) -> int:
    folder = ROOT / "requirements"
    if verb == "write":
        try:
            write(folder)
        except subprocess.CalledProcessError:
            return 1  # uv has said why.
    old = stale(folder, fingerprints((ROOT / "pyproject.toml").read_text()))
    if old:
        sys.stderr.write(f"Not of this pyproject.toml: {', '.join(old)}. Run `make lock`.\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main("write" if sys.argv[1:] == ["write"] else "check"))
