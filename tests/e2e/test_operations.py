"""docs/operations.md from its first line to its last, on a machine where nothing was started yet.

Each line of its blocks is typed in as it stands; the few that are not are named below, with why.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local.maintain import worker_of
from deploy.local.settings import ROOT, read_settings
from tests.support.ports import reserved_ports
from tests.support.stack import VARIABLES
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PAGE = ROOT / "docs" / "operations.md"
SAME = "The line before it, for elsewhere: with the environment of the worker."
LEFT_OUT = {
    "make secrets certificates": "It writes into the checkout: deploy/test_compose_secrets.py.",
    "make monitoring": "It needs Prometheus, which is not part of this: deploy/test_monitoring.py.",
    "make export": "Moving has a test of its own: e2e/test_moving.py.",
    "make import": "The same.",
    "python -m services.reporting rebuild": SAME,
    "python -m services.reporting retry": SAME,
    "python -m services.inventory verify": SAME,
    "python -m services.auth retention": SAME,
    "python -m services.auth rotate-keys": SAME,
    "python -m services.auth recover-administrator": SAME,
    "python -m deploy.backups backup": SAME,
    "python -m services.auth verify archives /mnt/copy": "It needs a copy elsewhere.",
    "python -m shared.journal": "Nothing is exported here: shared/journal/test_export.py.",
    "python -m deploy.backups fetch": "It needs a place elsewhere: deploy/backups/test_remote.py.",
    "python -m deploy.backups restore --without": "It is for a list that was lost: the same.",
    "python -m deploy.backups erasures --anew": "The same: deploy/backups/test_erasures.py.",
    "make restore CLUSTER=": "It needs the fetched backups of another machine.",
    "make restore AT=": "The page's moment lies before the first backup: e2e/test_backups.py.",
}
# What a person must do between two lines, which the page says in words.
BEFORE = {"python -m deploy.alertmanager": ["make up"], "make drill": ["make up"]}


def lines_of(page: Path) -> list[str]:
    """Return the commands of a page's indented blocks, without what is said beside them."""
    found = re.findall(
        r"^ {4}((?:make|python|\.venv/bin/python) .+)$", page.read_text(), re.MULTILINE
    )
    return [re.sub(r"\s{2,}#.*$|\s+# .*$", "", line).strip() for line in found]


def why_left_out(line: str) -> str | None:
    return next((why for begun, why in LEFT_OUT.items() if line.startswith(begun)), None)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A function that types a line in, on ports and in a folder of its own."""
    folder = tmp_path_factory.mktemp("machine")
    with reserved_ports() as free:
        ports = {name: str(port) for name, port in zip(VARIABLES, free, strict=False)}
        environment = {
            **os.environ, **ports, "STATE_DIR": str(folder / "state"), "YES": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT), "ARCHIVE_FOLDER": str(folder / "archives"),
            "ARCHIVE_ENCRYPTION_KEY": "5b" * 16 + "c4" * 16,
        }  # fmt: skip

        def type_in(line, *, folder=ROOT, **more):
            return subprocess.run(  # noqa: S603 - our own page.
                ["/bin/bash", "-euc", line],
                cwd=folder, env=environment | more, capture_output=True, text=True, check=False,
            )  # fmt: skip

        type_in.folder = folder
        type_in.environment = environment
        yield type_in
        type_in("make down")


def test_what_is_left_out_stands_on_the_page():
    lines = lines_of(PAGE)

    assert len(lines) > 30
    assert [begun for begun in LEFT_OUT if not any(line.startswith(begun) for line in lines)] == []
    assert [begun for begun in BEFORE if not any(line.startswith(begun) for line in lines)] == []


def test_every_line_does_what_the_page_says(machine):
    kept = machine.folder / "here"  # Where a line writes a file, it is not the checkout.
    kept.mkdir()
    for line in lines_of(PAGE):
        if why_left_out(line):
            continue
        if line.startswith("make verify"):
            _add_an_item(machine)
        for first in next((also for begun, also in BEFORE.items() if line.startswith(begun)), ()):
            _expect(machine, first)
        service = re.match(r"python -m services\.(\w+)", line)
        if service:
            _expect(machine, line, folder=kept, **_as_worker(machine, service[1], line))
        elif line.startswith("python -m deploy."):
            _expect(machine, line, folder=kept)
        else:
            _expect(machine, line)

    assert (kept / "kept.checkpoint").exists()
    assert list((machine.folder / "state").glob("postgres.before-*"))


def _add_an_item(machine):
    """Use the system a little: a journal without an entry has no checkpoint to be kept."""
    url = f"http://127.0.0.1:{machine.environment['GATEWAY_PORT']}/api/inventory/add-item"
    token = machine("make token").stdout.strip()
    item = {"code": "A1", "name": "Washer"}
    made = httpx.post(url, json=item, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert made.status_code == 201, made.text


def _expect(machine, line, **more):
    """Type a line in; what the running system needs a moment for comes within it."""
    tried = []

    def is_done():
        done = machine(line, **more)
        tried.append(f"{line}\n{done.stdout}{done.stderr}")
        is_early = "it does it within seconds" in done.stderr or "Nothing is sealed" in done.stderr
        assert done.returncode == 0 or is_early, tried[-1]
        return done.returncode == 0

    until(is_done)


def _as_worker(machine, service, line):
    """Return the environment of a service's worker, or for `migrate` that of its owner too."""
    settings = read_settings(machine.environment, ROOT / "none")
    worker = worker_of(settings, machine.folder / "state", service)
    owner = {}
    if line.endswith(" migrate"):
        password = _secret(machine, "STOCK_OWNER_PASSWORD")
        app = dict(worker.environment)["DATABASE_URL"]
        owner["OWNER_DATABASE_URL"] = re.sub(r"//\w+:[^@]*@", f"//stock_owner:{password}@", app)
    return {**worker.environment, **owner, "PATH": machine.environment["PATH"]} | {
        "PYTHONPATH": str(ROOT)
    }


def _secret(machine, name):
    text = (machine.folder / "state" / "secrets.env").read_text()
    return re.search(rf"^{name}=(.+)$", text, re.MULTILINE)[1]
