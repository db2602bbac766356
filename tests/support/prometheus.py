"""A real Prometheus that reads a running system, and what it answers."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.monitoring import prometheus_config
from deploy.local.settings import read_settings
from tests.support.ports import reserved_port
from tests.support.stack import Stack

IS_INSTALLED = shutil.which("prometheus") is not None
INTERVAL = "1s"


@dataclass
class Prometheus:
    """Where it listens."""

    url: str

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression gives now. Raises ValueError where it is invalid."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}).json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@contextmanager
def running_prometheus(stack: Stack, folder: Path) -> Iterator[Prometheus]:
    """Let it read every process as `make monitoring` does, but each second."""
    settings = read_settings(stack.environment, folder / "none")
    (folder / "metrics-token").write_text(stack.secrets["METRICS_TOKEN"] or "")
    config = prometheus_config(settings, folder, "9")  # Nobody is to be told of alerts.
    config["global"] = {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
    (folder / "prometheus.json").write_text(json.dumps(config))
    with reserved_port() as port, (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words.
            ["prometheus", "--config.file=prometheus.json", "--storage.tsdb.path=data",  # noqa: S607 - wherever it is installed.
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
        try:
            yield Prometheus(f"http://127.0.0.1:{port}")
        finally:
            process.kill()
            process.wait()
