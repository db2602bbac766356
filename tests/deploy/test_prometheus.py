"""Prometheus reads every process, and its rules speak of metrics that there are."""

import re
import shutil
import subprocess

import pytest

from deploy.certificates import write_all
from deploy.local.processes import SERVICES
from deploy.local.settings import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
CONFIG = (FOLDER / "prometheus.yml").read_text()
RULES = (FOLDER / "rules.yml").read_text() + (FOLDER / "alerts.yml").read_text()
PAGE = (ROOT / "docs" / "operations.md").read_text()
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)
# Of others: the exporters, and Prometheus itself.
OTHERS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes", "pg_up", "redis_up", "up"}


def test_every_process_is_read():
    targets = set(re.findall(r"- ([a-z-]+):\d+", CONFIG))

    assert targets >= {"gateway", *SERVICES, *(f"{service}-worker" for service in SERVICES)}
    assert CONFIG.count("credentials_file") == CONFIG.count("job_name") - 1  # Not to servers.
    assert "- names: [mirror]" in CONFIG  # Read where there is one.


def test_rules_speak_of_metrics_that_there_are():
    """A test of docs/operations.md holds its names to the code."""
    expressions = " ".join(re.findall(r"expr: (.+\n(?: {10}.+\n)*)", RULES))
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|(?:by|on) ?\([^)]*\)', "", expressions)
    named = set(re.findall(r"(?<![:\w])[a-z]+_[a-z_]+(?![:\w(])", bare))
    base = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}

    assert len(named) > 30
    assert {name for name in base - OTHERS if f"`{name}`" not in PAGE} == set()


def promtool(*words):
    return subprocess.run(  # noqa: S603 - our own files.
        ["promtool", *words],  # noqa: S607 - wherever it is installed.
        capture_output=True,
        text=True,
        check=False,
    )


@needs_promtool
def test_promtool_takes_the_rules():
    done = promtool("check", "rules", *(str(FOLDER / name) for name in ("rules.yml", "alerts.yml")))

    assert done.returncode == 0, done.stderr


@needs_promtool
@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus.https.yml"])
def test_promtool_takes_what_prometheus_of_compose_reads(tmp_path, name):
    """With a token and certificates where containers have them."""
    (tmp_path / "metrics_token").write_text("of-this-test")
    write_all(tmp_path / "made")
    for rules in ("rules.yml", "alerts.yml"):
        shutil.copy(FOLDER / rules, tmp_path)
    text = (FOLDER / name).read_text().replace("/run/secrets", str(tmp_path))
    text = text.replace("/certificates/", f"{tmp_path}/made/prometheus/")
    (tmp_path / name).write_text(text)

    done = promtool("check", "config", str(tmp_path / name))

    assert done.returncode == 0, done.stdout + done.stderr
