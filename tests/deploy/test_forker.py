"""Forked processes behave like `python -m`; `timeit` serves to run any statement as a module."""

import asyncio
import os
import signal
import sys

import psutil
import pytest

from deploy.local.errors import StackError
from deploy.local.launch import Forker, Program
from deploy.local.settings import ROOT
from deploy.local.supervisor import ended
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow

SLEEP = "import time; time.sleep(600)"


def running(statement, **environment):
    command = (sys.executable, "-m", "timeit", "-n1", "-r1", statement)
    return Program("standin", command, environment, ROOT)


@pytest.fixture(scope="module")
async def forker(tmp_path_factory):
    found = Forker(tmp_path_factory.mktemp("forker") / "forker.log")
    yield found
    await found.close()


async def test_fork_has_its_own_environment_session_and_arguments(forker):
    statement = "import os, sys; print(dict(os.environ), os.getsid(0) == os.getpid(), sys.argv[1:])"

    process = await forker(running(statement, SECRET="only this"))

    said = (await process.stdout.readline()).decode().strip()
    assert said == f"{{'SECRET': 'only this'}} True {['-n1', '-r1', statement]}"
    assert await ended(process) == 0


async def test_forks_share_what_was_imported(forker):
    process = await forker(running("import sys; print('shared.web' in sys.modules)"))

    assert (await process.stdout.readline()).strip() == b"True"


async def test_code_and_last_words_of_a_fork_are_reported(forker):
    process = await forker(running("import sys; sys.exit('JWT_SECRET: too short')"))

    output = await process.stdout.read()
    assert b"JWT_SECRET: too short" in output
    assert await ended(process) == 1


async def test_many_forks_at_once_are_told_apart(forker):
    processes = await asyncio.gather(
        *(
            forker(running(f"import os; print({code}, flush=True); os._exit({code})"))
            for code in range(5)
        )
    )

    for code, process in enumerate(processes):
        assert (await process.stdout.readline()).strip() == str(code).encode()
        assert await ended(process) == code


async def test_killed_fork_is_reported(forker):
    process = await forker(running(SLEEP))

    process.send_signal(signal.SIGKILL)

    assert await asyncio.wait_for(ended(process), PATIENCE_S) == -signal.SIGKILL


async def test_death_of_the_forker_ends_its_forks_and_the_next_one_starts_anew(forker):
    first = await forker(running(SLEEP))
    os.kill(psutil.Process(first.pid).ppid(), signal.SIGKILL)

    assert await asyncio.wait_for(ended(first), PATIENCE_S) == -signal.SIGTERM
    await eventually(lambda: not psutil.pid_exists(first.pid))

    second = await forker(running("print('again')"))
    assert (await second.stdout.readline()).strip() == b"again"


async def test_closing_leaves_no_fork_behind(tmp_path):
    forker = Forker(tmp_path / "forker.log")
    process = await forker(running(SLEEP))

    await forker.close()

    await eventually(lambda: not psutil.pid_exists(process.pid))


async def test_forker_that_cannot_import_says_where_to_look(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    forker = Forker(tmp_path / "forker.log")

    with pytest.raises(StackError, match=r"standin cannot be started: .*forker\.log"):
        await forker(running(SLEEP))
    await forker.close()


async def test_forker_that_died_before_it_was_asked_says_where_to_look(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    forker = Forker(tmp_path / "forker.log")
    await forker.warm_up()
    forker._listener.cancel()  # As when its end has not been noticed yet.
    await forker._process.wait()

    with pytest.raises(StackError, match=r"standin cannot be started: .*forker\.log"):
        await forker(running(SLEEP))
    await forker.close()
