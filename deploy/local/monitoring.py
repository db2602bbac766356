"""`make monitoring`: Prometheus, Alertmanager and a page of dashboards beside the stack."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.alertmanager.render import BadReceiver, render, write
from deploy.local import secrets
from deploy.local.children import die_with_parent
from deploy.local.errors import StackError
from deploy.local.instance import Instance
from deploy.local.output import say
from deploy.local.private import open_private, private_folder
from deploy.local.settings import ROOT, LocalSettings, port_uses

PROMETHEUS, ALERTMANAGER = "prometheus", "prometheus-alertmanager"
INSTALL = "apt-get install --no-install-recommends prometheus prometheus-alertmanager"
PAGE = "dashboards"
PORTS = {
    PROMETHEUS: ("PROMETHEUS_PORT", "9090"),
    ALERTMANAGER: ("ALERTMANAGER_PORT", "9093"),
    PAGE: ("DASHBOARDS_PORT", "9095"),
}
RETENTION = ("--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=2GB")


def monitor(settings: LocalSettings, state_dir: Path) -> None:
    """Run them until Ctrl-C. Raises StackError where something is missing."""
    missing = [name for name in (PROMETHEUS, ALERTMANAGER) if shutil.which(name) is None]
    if missing:
        raise StackError(f"{' and '.join(missing)} not found. On Debian and Ubuntu: {INSTALL}")
    note = Instance(state_dir).find()
    if note is None or not note.ready:
        raise StackError("Nothing is running; start it with `make up`.")
    folder = state_dir / "monitoring"
    private_folder(folder)
    ports = {name: settings.environment.get(v) or default for name, (v, default) in PORTS.items()}
    token = settings.environment.get("METRICS_TOKEN") or secrets.read(state_dir / "secrets.env")[
        "METRICS_TOKEN"
    ]  # fmt: skip
    with open_private(folder / "metrics-token", "w") as file:
        file.write(token)
    config = prometheus_config(settings, folder, ports[ALERTMANAGER])
    (folder / "prometheus.json").write_text(json.dumps(config, indent=1))
    try:
        write(folder / "alertmanager.json", render(settings.environment))
    except BadReceiver as error:
        raise StackError(str(error)) from None
    from deploy.grafana.page import serve_page  # noqa: PLC0415 - loads matplotlib.

    try:
        serve_page(int(ports[PAGE]), f"http://127.0.0.1:{ports[PROMETHEUS]}")
    except (OSError, ValueError) as error:
        raise StackError(f"DASHBOARDS_PORT {ports[PAGE]} cannot be used: {error}") from None
    running = [_start(folder, *command) for command in commands(ports)]
    say(f"Dashboards    http://127.0.0.1:{ports[PAGE]}  drawn anew at each load")
    say(f"Prometheus    http://127.0.0.1:{ports[PROMETHEUS]}  alerts at /alerts")
    say(f"Alertmanager  http://127.0.0.1:{ports[ALERTMANAGER]}  Ctrl-C ends both; logs in {folder}")
    try:
        while all(process.poll() is None for process in running):
            signal.sigtimedwait({signal.SIGCHLD}, 1)
        raise StackError(f"One of the two has ended; its log in {folder} says why.")
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def prometheus_config(
    settings: LocalSettings, folder: Path, alertmanager: str
) -> dict[str, object]:
    """Return what Prometheus is to read: each process by its own name. JSON is YAML."""
    rules = ROOT / "deploy" / "prometheus"
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [str(rules / "rules.yml"), str(rules / "alerts.yml")],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
        },
        "scrape_configs": [
            {
                "job_name": "stockwright",
                "authorization": {"credentials_file": str(folder / "metrics-token")},
                "static_configs": [
                    {"targets": [f"{settings.reach}:{port}"], "labels": {"job": name}}
                    for port, name, _ in port_uses(settings)
                ],
            }
        ],
    }


def commands(ports: dict[str, str]) -> list[list[str]]:
    """Return both commands; without its empty address Alertmanager listens to everybody."""
    return [
        [
            ALERTMANAGER, "--config.file=alertmanager.json", "--storage.path=alerts",
            f"--web.listen-address=127.0.0.1:{ports[ALERTMANAGER]}", "--cluster.listen-address=",
        ],
        [
            PROMETHEUS, "--config.file=prometheus.json", "--storage.tsdb.path=data", *RETENTION,
            f"--web.listen-address=127.0.0.1:{ports[PROMETHEUS]}",
            "--enable-feature=exemplar-storage",
        ],
    ]  # fmt: skip


def _start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    with open_private(folder / f"{command[0]}.log", "a") as log:
        return subprocess.Popen(  # noqa: S603 - our own words.
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, who end it.
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl call, safe after fork.
        )
