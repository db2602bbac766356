"""A process is killed: who is on call is told, by mail and web hook, and that it is over."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from deploy.alertmanager.render import render, write
from deploy.local.settings import ROOT
from tests.support.ports import reserved_ports
from tests.support.waiting import eventually

NEEDED = ("prometheus", "prometheus-alertmanager")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {' and '.join(NEEDED)}"),
]
TARGET = """
import sys
from http.server import HTTPServer
from prometheus_client import MetricsHandler
HTTPServer(("127.0.0.1", int(sys.argv[1])), MetricsHandler).serve_forever()
"""


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name.
        self.mails.append(envelope.content.decode())
        return "250 OK"


@contextmanager
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the address of a receiver, and all that it was told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()


@contextmanager
def running(*command: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{Path(command[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)  # noqa: S603 - our own words.
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def write_prometheus(folder: Path, target: int, alertmanager: int) -> None:
    """Write the real rules, with their times cut to a second."""
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    (folder / "alerts.yml").write_text(alerts.replace("for: 1m\n", "for: 1s\n"))
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms",
                   "evaluation_interval": "500ms"},
        "rule_files": ["alerts.yml"],
        "alerting": {"alertmanagers": [
            {"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        "scrape_configs": [
            {"job_name": "auth", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
    }  # fmt: skip
    (folder / "prometheus.yml").write_text(json.dumps(config))


def write_alertmanager(folder: Path, environment: dict[str, str]) -> None:
    config = render(environment)
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    write(folder / "alertmanager.yml", config)


async def is_up(prometheus: int) -> bool:
    """Say whether Prometheus has read the process."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{prometheus}") as client:
        try:
            answer = await client.get("/api/v1/query", params={"query": "up == 1"})
            return bool(answer.json()["data"]["result"])
        except (httpx.HTTPError, ValueError, KeyError):
            return False


async def test_a_killed_process_is_told_of_and_that_it_is_back(tmp_path):
    mailbox = Mailbox()
    with ExitStack() as opened:
        ports = opened.enter_context(reserved_ports())
        target, mail, alertmanager, prometheus = ports[:4]
        smtp = Controller(mailbox, hostname="127.0.0.1", port=mail)
        smtp.start()
        opened.callback(smtp.stop)
        address, told = opened.enter_context(hook())
        write_prometheus(tmp_path, target, alertmanager)
        write_alertmanager(tmp_path, {
            "ALERT_EMAIL_TO": "ops@example.com", "ALERT_SMTP_URL": f"smtp://127.0.0.1:{mail}",
            "ALERT_WEBHOOK_URL": address,
        })  # fmt: skip
        opened.enter_context(running(
            "prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=alerts",
            f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address=",
            folder=tmp_path,
        ))  # fmt: skip
        opened.enter_context(running(
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{prometheus}", "--rules.alert.resend-delay=1s",
            folder=tmp_path,
        ))  # fmt: skip

        def heard(status: str) -> bool:
            return any(
                each["status"] == status and each["labels"]["alertname"] == "TargetDown"
                for each in told
            )

        with running(sys.executable, "-c", TARGET, str(target), folder=tmp_path):
            await eventually(lambda: is_up(prometheus))
        await eventually(lambda: heard("firing"))
        with running(sys.executable, "-c", TARGET, str(target), folder=tmp_path):
            await eventually(lambda: heard("resolved"))
            await eventually(lambda: any("RESOLVED" in mail for mail in mailbox.mails))

    assert any("FIRING" in mail and "TargetDown" in mail for mail in mailbox.mails)
    assert all("To: ops@example.com" in mail for mail in mailbox.mails)
