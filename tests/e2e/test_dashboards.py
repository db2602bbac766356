"""Every panel and every rule is answered by a real Prometheus that reads the running system."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.grafana.listing import BOARDS
from deploy.grafana.page import serve_page
from deploy.local.settings import ROOT
from tests.support.ports import reserved_port
from tests.support.prometheus import IS_INSTALLED, Prometheus, running_prometheus
from tests.support.stack import Stack, running_stack
from tests.support.waiting import PATIENCE_S, answered, eventually

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.skipif(not IS_INSTALLED, reason="prometheus is not installed"),
]

DAYS = 60  # Of history to train on.
ALERTS = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
NO_MIRROR = "no mirror runs; tests/deploy/mirror reads its metrics"
# What may stay empty, and why.
EMPTY = {
    "Certificates": "the local stack speaks plainly on loopback",
    "CertificateExpires": "the local stack speaks plainly on loopback",
    "ExporterBlind": "exporters are of compose; tests/deploy tries both",
    "Anomalies": "nothing looks for anomalies yet",
    **dict.fromkeys(("Mirror errors", "Mirror lag", "Mirror behind"), NO_MIRROR),
    **dict.fromkeys(re.findall(r"- alert: (Mirror\w+)", ALERTS), NO_MIRROR),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Iterator[Stack]:
    folder = Path(tmp_path_factory.mktemp("watched"))
    with running_stack(folder, BACKUP_ENABLED="true", BACKUP_WAL_INTERVAL_S="1") as started:
        yield started


@pytest.fixture(scope="module")
async def prometheus(own, tmp_path_factory):
    """One that has read what a day at work leaves in the metrics."""
    folder = Path(tmp_path_factory.mktemp("prometheus"))
    with running_prometheus(own, folder) as started:
        await eventually(started.is_ready)
        async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE_S) as client:
            await _work(own, client, started)
        await eventually(lambda: list(own.folder.glob("backups/*/base/*/manifest.json")))
        drilled = await asyncio.to_thread(own.backups, "drill")
        assert drilled.returncode == 0, drilled.stdout + drilled.stderr
        # What the stock is worth is summed up each minute, and at a start.
        await own.kill_and_wait("reporting-worker")
        yield started


async def test_every_panel_is_answered(prometheus):
    panels = {
        f"{panel.title}: {expression}": panel.title
        for board in BOARDS
        for panel in board.panels
        for expression in panel.queries.values()
    }

    assert await _unanswered(prometheus, {asked: asked.partition(": ")[2] for asked in panels}) == {
        asked for asked, title in panels.items() if title in EMPTY
    }


async def test_every_rule_is_answered(prometheus):
    """An alert gives nothing while all is well: what it compares must be there, and be compared."""
    rules = {
        rule.get("alert") or rule["record"]: rule["expr"]
        for name in ("rules", "alerts")
        for group in yaml.safe_load(_read(f"{name}.yml"))["groups"]
        for rule in group["rules"]
    }

    for expression in rules.values():
        prometheus.ask(expression)  # As it is written.
    compared = {name: _as_figures(expression) for name, expression in rules.items()}
    assert await _unanswered(prometheus, compared) == set(rules) & set(EMPTY)


async def test_every_dashboard_is_drawn_on_a_page(prometheus):
    with reserved_port() as port:
        server = serve_page(port, prometheus.url)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            page = await client.get("/?minutes=5")
            pictures = [await client.get(path) for path in re.findall(r'src="([^"]+)"', page.text)]
            nothing = await client.get("/other.png")
        server.shutdown()
        server.server_close()

    assert len(pictures) == len(BOARDS)
    assert all(picture.content.startswith(b"\x89PNG") for picture in pictures)
    assert all(len(picture.content) > 50_000 for picture in pictures)
    assert nothing.status_code == 404


def test_what_may_be_empty_is_asked_for():
    """A name that nothing bears any more is taken off the list."""
    titles = {panel.title for board in BOARDS for panel in board.panels}

    assert set(EMPTY) <= titles | set(re.findall(r"- alert: (\w+)", ALERTS))


def _as_figures(expression: str) -> str:
    """Return an alert that gives 0 or 1 in place of nothing or something, wherever it compares."""
    present = re.sub(r"absent\(([^()]+)\)", r"\1", expression)
    return re.sub(r"\s([<>]=?|==|!=)\s", r" \1 bool ", present)


async def _unanswered(prometheus: Prometheus, expressions: dict[str, str]) -> set[str]:
    """Return which give no series; those that may not are waited for."""
    left = dict(expressions)

    async def is_answered() -> bool:
        for name, expression in list(left.items()):
            if prometheus.ask(expression):
                del left[name]
        return not {name for name in left if name.partition(":")[0] not in EMPTY}

    with suppress(AssertionError):  # The caller says which.
        await eventually(is_answered)
    return set(left)


def _read(name: str) -> str:
    return (ROOT / "deploy" / "prometheus" / name).read_text()


async def _work(stack: Stack, client: httpx.AsyncClient, prometheus: Prometheus) -> None:
    """Sign in, also in vain; move stock, also in vain; train, forecast, report."""
    wrong = {"email": "nobody@example.com", "password": "not-the-password"}
    await client.post("/api/auth/login", json=wrong)
    headers = await stack.new_tenant(client)

    async def post(path: str, body: Any) -> httpx.Response:
        return await answered(lambda: client.post(path, json=body, headers=headers))

    async def get(path: str) -> httpx.Response:
        return await answered(lambda: client.get(path, headers=headers))

    await post("/api/locations", {"name": "Main", "type": "warehouse"})
    item = {"code": "A1", "name": "Item", "unit_cost": "2", "reorder_point": "2000"}
    await post("/api/inventory/add-item", item)
    assert (await post("/api/inventory/movements/bulk", {"lines": _history()})).is_success
    too_much = {"kind": "issue", "item": "A1", "location": "Main", "quantity": "5000"}
    assert (await post("/api/inventory/movements", too_much)).status_code == 409
    await _train(post, get)

    async def is_cached() -> bool:
        """Ask until the caches' rate of hits is known: Prometheus must see them grow."""
        assert (await get("/api/ai/forecast/A1")).is_success
        assert (await get("/api/dashboard/stats")).is_success
        return bool(prometheus.ask("cache:lookups:hit_ratio_rate5m > 0"))

    await eventually(is_cached)
    assert (await get("/api/reports/inventory-value")).is_success


def _history() -> list[dict[str, str]]:
    now = datetime.now(UTC)
    return [
        {
            "kind": "issue" if day else "receipt",
            "item": "A1",
            "location": "Main",
            "quantity": str(day % 7 + 1) if day else "1000",
            "occurred_at": (now - timedelta(days=DAYS - day, minutes=5)).isoformat(),
        }
        for day in range(DAYS)
    ]


async def _train(post: Any, get: Any) -> None:
    """Train one item as soon as forecasting has followed its history."""
    wanted = {"item_code": "A1", "model_type": "window_average", "training_days": DAYS}

    async def is_trained() -> bool:
        if (await get("/api/ai/models/list")).json()["models"]:
            return True
        jobs = (await get("/api/ai/jobs")).json()["items"]
        if all(job["finished_at"] for job in jobs):
            await post("/api/ai/forecast/train", wanted)
        return False

    await eventually(is_trained)
