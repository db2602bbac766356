"""Every metric of ours stands in docs/operations.md, and every name there is one of ours."""

import re
import shutil
import subprocess
from importlib import import_module

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from gateway import metrics as of_gateway
from tests.support.tree import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()
LIBRARYS = ("process_", "python_")  # prometheus_client's own.
# Gauges whose names the product was given, and which promtool would call otherwise.
GIVEN = {
    "ai_models_active_total", "inventory_items_total", "inventory_reorder_recommendations_total",
    "inventory_value_total", "sessions_active_total", "users_active_total",
}  # fmt: skip


def load_all() -> None:
    """Import whatever measures something."""
    for folder in ("services", "shared", "deploy"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "import Counter" in (text := path.read_text()) or "import Gauge" in text:
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def names(registry: CollectorRegistry) -> set[str]:
    collectors: set[Collector] = set(registry._collector_to_names)
    families = [family for collector in collectors for family in collector.collect()]
    return {
        f"{family.name}_total" if family.type == "counter" else family.name for family in families
    }


def test_the_page_names_every_metric_and_no_other():
    load_all()
    table = PAGE.split("## Metrics")[1].split("\n## ")[0]
    told = set(
        re.findall(r"`([a-z]+_[a-z_]+)`", "\n".join(re.findall(r"^\|.*$", table, re.MULTILINE)))
    )
    ours = {
        name
        for name in names(REGISTRY) | names(of_gateway.registry)
        if not name.startswith(LIBRARYS)
    }

    anywhere = set(re.findall(r"`([a-z]+_[a-z_]+)[`{]", PAGE))

    assert ours - anywhere == set()
    assert told - ours == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("of", ["services", "gateway"])
def test_promtool_finds_fault_with_the_given_names_alone(of):
    load_all()
    text = generate_latest(REGISTRY if of == "services" else of_gateway.registry)

    done = subprocess.run(
        ["promtool", "check", "metrics"],  # noqa: S607 - wherever it is installed.
        input=text,
        capture_output=True,
        check=False,
    )

    faults = set(done.stderr.decode().split("\n")) - {""}
    assert {fault.split()[0] for fault in faults} <= GIVEN, faults
