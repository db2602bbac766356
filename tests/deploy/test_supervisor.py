"""The supervisor with small children in place of services."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from deploy.local import supervisor
from deploy.local.errors import StackError
from deploy.local.launch import Program
from deploy.local.output import application_shows
from deploy.local.supervisor import Child, Supervised
from tests.support.waiting import eventually, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import time; time.sleep(600)"
PARENT = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
)


async def at_once(_pid):
    return None


async def never(_pid):
    return "the database is away"


def child(code, readiness=at_once, **options):
    program = Program(
        name="standin",
        command=[sys.executable, "-c", textwrap.dedent(code)],
        environment={"PATH": os.environ["PATH"]},
        folder=ROOT,
        **options,
    )
    return Child(program, readiness, application_shows)


@pytest.fixture
async def supervised(tmp_path):
    started = []

    def make(*args, **options):
        started.append(Supervised(child(*args, **options), tmp_path))
        return started[-1]

    yield make
    for one in started:
        await one.stop()


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_crashed_child_is_started_again(supervised, capsys):
    one = supervised(SLEEPER)
    await one.start()
    first = one.pid

    os.kill(first, signal.SIGKILL)
    await eventually(lambda: "is ready again" in capsys.readouterr().out)

    assert one.pid != first
    assert is_alive(one.pid)
    assert one.restarts == 1


async def test_pause_grows_while_a_child_keeps_crashing(supervised, capsys):
    one = supervised("import sys, time; time.sleep(0.2); print('broken'); sys.exit(3)")
    await one.start()

    await eventually(lambda: one.restarts >= 3)

    said = [line for line in capsys.readouterr().out.splitlines() if "ended" in line]
    assert said == [
        f"standin ended with code 3: broken; starting it again in {pause} s"
        for pause in ("0.5", "1", "2")
    ]


async def test_child_that_ends_before_it_is_ready_says_why(supervised):
    one = supervised("import sys; print('JWT_SECRET: too short'); sys.exit(1)", readiness=never)

    with pytest.raises(StackError, match="standin ended with code 1: JWT_SECRET: too short"):
        await one.start()


async def test_child_that_is_never_ready_says_what_is_missing(supervised, monkeypatch):
    monkeypatch.setattr(supervisor, "READY_TIMEOUT_S", 0.3)

    with pytest.raises(StackError, match="not ready after 0 s: the database is away"):
        await supervised(SLEEPER, readiness=never).start()


async def test_program_that_is_not_there_is_named(tmp_path):
    nowhere = Program("standin", ["/nowhere/python"], {}, ROOT)
    missing = Child(nowhere, at_once, application_shows)

    with pytest.raises(StackError, match="standin cannot be started"):
        await Supervised(missing, tmp_path).start()


async def test_stop_takes_the_children_of_the_child_along(supervised):
    one = supervised(PARENT)
    await one.start()
    await eventually(lambda: psutil.Process(one.pid).children())
    family = [one.pid, *(process.pid for process in psutil.Process(one.pid).children())]

    await one.stop()

    assert len(family) == 2
    await eventually(lambda: not any(is_alive(pid) for pid in family))


async def test_crash_is_noticed_while_a_grandchild_holds_the_output(supervised):
    one = supervised(PARENT)
    await one.start()
    await eventually(lambda: psutil.Process(one.pid).children())
    orphan = psutil.Process(one.pid).children()[0].pid

    os.kill(one.pid, signal.SIGKILL)
    await eventually(lambda: one.restarts == 1)

    await eventually(lambda: not is_alive(orphan))


async def test_child_that_ignores_the_signal_is_killed(supervised, monkeypatch, capsys):
    monkeypatch.setattr(supervisor, "STOP_TIMEOUT_S", 0.5)
    one = supervised(
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        time.sleep(600)
        """
    )
    await one.start()
    await eventually(lambda: "deaf" in capsys.readouterr().out)

    await one.stop()

    assert not is_alive(one.pid)


async def test_output_longer_than_any_line_does_not_stop_the_child(supervised, tmp_path):
    one = supervised(
        "print('x' * 3_000_000); print('after', flush=True); import time; time.sleep(600)"
    )
    await one.start()

    await eventually(lambda: "after" in (tmp_path / "standin.log").read_text())


def test_killed_supervisor_leaves_no_orphan(tmp_path):
    code = f"""
    import asyncio, sys
    from pathlib import Path
    from tests.deploy.test_supervisor import SLEEPER, child
    from deploy.local.supervisor import Supervised

    async def main():
        one = Supervised(child(SLEEPER), Path({str(tmp_path)!r}))
        await one.start()
        print(one.pid, flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
    """
    parent = subprocess.Popen(  # noqa: S603 - the code above.
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    assert is_alive(pid)

    parent.kill()
    parent.wait()

    until(lambda: not is_alive(pid))
