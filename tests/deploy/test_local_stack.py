"""`make up`, `status`, `down` for real: every process of the system, on ports of its own."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen

import psutil
import pytest

from deploy.local import secrets
from deploy.local.instance import Instance
from deploy.local.settings import PORT_VARIABLES, ROOT
from tests.support.ports import reserved_ports
from tests.support.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def ports():
    with reserved_ports() as free:
        yield dict(zip(PORT_VARIABLES, free, strict=False))


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def stack(ports, state_dir):
    """Return a function that runs a verb of `python -m deploy.local` on this stack."""
    environment = {
        **os.environ,
        **{name: str(port) for name, port in ports.items()},
        "STATE_DIR": str(state_dir),
    }

    def do(*words, **changed):
        return subprocess.run(  # noqa: S603 - our own program.
            [sys.executable, "-m", "deploy.local", *words],
            cwd=ROOT,
            env=environment | changed,
            capture_output=True,
            text=True,
            check=False,
        )

    yield do
    do("down")


@pytest.fixture(scope="module")
def started(stack):
    done = stack("up")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_up_says_where_everything_is(started, ports, state_dir):
    assert f"API      http://127.0.0.1:{ports['GATEWAY_PORT']}" in started
    assert "Sign in  admin@example.com, password: " in started
    assert "the ADMIN_PASSWORD of" in started
    assert "Ctrl-C" not in started
    password = secrets.read(state_dir / "secrets.env")["ADMIN_PASSWORD"]
    assert f"The password is {password}\n" in started
    assert password not in (state_dir / "log" / "stack.log").read_text()
    assert started.count(" ready ") == 2 + 1 + 4 + 4 + 2
    assert "Traceback" not in started
    assert state_dir.stat().st_mode & 0o077 == 0


def test_gateway_answers_when_up_returns(started, ports):
    with urlopen(
        f"http://127.0.0.1:{ports['GATEWAY_PORT']}/health/ready", timeout=PATIENCE_S
    ) as answer:
        assert answer.status == 200


def test_token_enrols_the_administrator_once_and_then_signs_him_in(
    started, stack, ports, state_dir
):
    first, second = stack("token"), stack("token")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    for done in (first, second):
        asked = Request(
            f"http://127.0.0.1:{ports['GATEWAY_PORT']}/api/users",
            headers={"Authorization": f"Bearer {done.stdout.strip()}"},
        )
        with urlopen(asked, timeout=PATIENCE_S) as answer:  # noqa: S310 - see above.
            assert answer.status == 200
    kept = state_dir / "people.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert "recovery_codes" in kept.read_text()


def test_token_says_when_the_password_was_changed_elsewhere(started, stack, state_dir):
    assert stack("token").returncode == 0
    kept = state_dir / "people.json"
    before = kept.read_text()
    password = json.loads(before)["default/admin@example.com"]["password"]

    kept.write_text(before.replace(password, "quite another one"))
    refused = stack("token")
    kept.write_text(before)

    assert refused.returncode == 1
    assert "it was changed elsewhere" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_status_lists_every_process(started, stack):
    done = stack("status")

    assert done.returncode == 0
    assert done.stdout.count(" ready") == 12
    assert "MB in all" in done.stdout


def test_what_was_set_aside_is_tried_again_beside_the_running_stack(started, stack):
    done = stack("retry", "reporting")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"Entries of {producer}'s journal: 0 applied now, 0 still set aside."
        for producer in ("auth", "inventory", "forecasting", "reporting")
    ]


def test_a_service_that_follows_nobody_has_nothing_to_rebuild(started, stack):
    for service in ("", "inventory"):
        done = stack("rebuild", service)
        assert done.returncode == 1
        assert "make rebuild SERVICE=forecasting or SERVICE=reporting" in done.stderr


def test_second_up_is_content_and_second_run_is_refused(started, stack):
    assert "Already running" in stack("up").stdout

    refused = stack("run")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Already running (process ")


def test_other_checkout_on_the_same_ports_is_told_which(started, stack, ports, tmp_path):
    refused = stack("run", STATE_DIR=str(tmp_path))

    assert refused.returncode == 1
    told = refused.stderr.splitlines()
    assert len(told) == 2 + 4 + 4
    assert told[0] == (
        f"Port {ports['GATEWAY_PORT']} for gateway is taken; set GATEWAY_PORT to another one."
    )


def test_crashed_service_comes_back(started, stack, state_dir):
    before = Instance(state_dir).find().pids["inventory"]

    os.kill(before, signal.SIGKILL)
    until(lambda: Instance(state_dir).find().pids["inventory"] != before)
    until(lambda: stack("status").returncode == 0)

    assert "restarted 1x" in stack("status").stdout


def test_down_leaves_nothing_behind(started, stack, state_dir):
    note = Instance(state_dir).find()
    family = psutil.Process(note.pid).children(recursive=True)
    log = state_dir / "log" / "stack.log"
    before = len(log.read_text())

    assert stack("down").stdout == "Stopped.\n"

    assert len(family) >= len(note.pids)
    assert not psutil.wait_procs(family, timeout=PATIENCE_S)[1]
    assert stack("status").stdout == "Not running.\n"
    assert "start it with `make up`" in stack("token").stderr
    assert "Traceback" not in log.read_text()[before:]


def test_second_start_keeps_secrets_and_data_and_may_be_asked_for_twice(started, stack, state_dir):
    kept = (state_dir / "secrets.env").read_bytes()
    cluster = (state_dir / "postgres" / "PG_VERSION").stat().st_mtime_ns

    with ThreadPoolExecutor() as threads:
        again, other = threads.map(stack, ["up", "up"])

    assert again.returncode == 0, again.stdout + again.stderr
    assert other.returncode == 0, other.stdout + other.stderr
    assert (state_dir / "secrets.env").read_bytes() == kept
    assert (state_dir / "postgres" / "PG_VERSION").stat().st_mtime_ns == cluster
    assert f"password: in {state_dir / 'people.json'}" in again.stdout + other.stdout
    assert "Already running" in again.stdout + other.stdout


def test_killed_supervisor_takes_everything_along(started, stack, state_dir):
    note = Instance(state_dir).find()
    family = psutil.Process(note.pid).children(recursive=True)

    os.kill(note.pid, signal.SIGKILL)

    assert not psutil.wait_procs(family, timeout=PATIENCE_S)[1]
    assert stack("status").stdout == "Not running.\n"
