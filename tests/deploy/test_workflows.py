"""The workflows are sound, name every action by its commit, and run what the project runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.settings import ROOT

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXT = {path.name: path.read_text() for path in WORKFLOWS}


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands.


def test_actionlint_finds_nothing():
    done = run(BIN / "actionlint", *WORKFLOWS)

    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing():
    done = run(BIN / "zizmor", "--quiet", "--offline", "--no-progress", ".github")

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", TEXT)
def test_every_action_is_named_by_its_commit_with_its_version_beside_it(name):
    used = re.findall(r"uses: (.+)", TEXT[name])

    assert used
    assert [one for one in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", one)] == []


@pytest.mark.parametrize("name", TEXT)
def test_nothing_is_permitted_but_what_a_job_names(name):
    assert "\npermissions: {}\n" in TEXT[name]
    assert "pull_request_target" not in TEXT[name]


def test_every_target_that_a_workflow_makes_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    asked = set(re.findall(r"run: make ([a-z-]+)", "".join(TEXT.values())))

    assert asked
    assert asked <= targets


def test_every_image_is_built_and_installed():
    built = set(re.findall(r"\{image: (\w+),", TEXT["release.yml"]))
    release = (ROOT / "deploy" / "compose.release.yml").read_text()
    installed = set(re.findall(r"\$\{([A-Z]+)_IMAGE:\?\}", release))
    in_compose = set(
        re.findall(r"image: stockwright/(\w+)", (ROOT / "docker-compose.yml").read_text())
    )

    assert built == in_compose == {name.lower() for name in installed}


@pytest.mark.slow
def test_no_secret_is_committed(tmp_path):
    """By a copy of the baseline: the hook notes in it where lines have moved to."""
    files = run("git", "ls-files").stdout.splitlines()
    baseline = shutil.copy(ROOT / ".secrets.baseline", tmp_path / "baseline")

    done = run(BIN / "detect-secrets-hook", "--baseline", baseline, *files)

    assert done.returncode == 0, done.stdout
