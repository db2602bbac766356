"""Prometheus reads every process, and its rules speak of metrics that there are."""

import re
import shutil
import subprocess

import pytest

from deploy.local.processes import SERVICES
from deploy.local.settings import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
CONFIG = (FOLDER / "prometheus.yml").read_text()
RULES = (FOLDER / "rules.yml").read_text() + (FOLDER / "alerts.yml").read_text()
PAGE = (ROOT / "docs" / "operations.md").read_text()
# Of others: the node exporter, and Prometheus itself.
OTHERS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes", "up"}


def test_every_process_is_read():
    targets = set(re.findall(r"- ([a-z-]+):\d+", CONFIG))

    assert targets >= {"gateway", *SERVICES, *(f"{service}-worker" for service in SERVICES)}
    assert CONFIG.count("credentials_file") == CONFIG.count("job_name")
    assert "- names: [mirror]" in CONFIG  # Read where there is one.


def test_rules_speak_of_metrics_that_there_are():
    """A test of docs/operations.md holds its names to the code."""
    expressions = " ".join(re.findall(r"expr: (.+\n(?: {10}.+\n)*)", RULES))
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|(?:by|on) ?\([^)]*\)', "", expressions)
    named = set(re.findall(r"(?<![:\w])[a-z]+_[a-z_]+(?![:\w(])", bare))
    base = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}

    assert len(named) > 30
    assert {name for name in base - OTHERS if f"`{name}`" not in PAGE} == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules():
    files = [str(FOLDER / name) for name in ("rules.yml", "alerts.yml")]

    done = subprocess.run(  # noqa: S603 - our own files.
        ["promtool", "check", "rules", *files],  # noqa: S607 - wherever it is installed.
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
