"""`make up`, `make down`, `make status`: the same stack without a terminal."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from deploy.local import secrets
from deploy.local.errors import StackError
from deploy.local.instance import Instance, Note
from deploy.local.output import NAME_WIDTH, say
from deploy.local.private import open_private, private_folder
from deploy.local.probe import health
from deploy.local.settings import ROOT, LocalSettings

UP_TIMEOUT_S = 600.0  # The first start may migrate a large database.
DOWN_TIMEOUT_S = 90.0
POLL_INTERVAL_S = 0.1
HTTP_OK = 200
ADMIN_PASSWORD = "ADMIN_PASSWORD"  # noqa: S105 - the name of the variable.


def up(settings: LocalSettings, state_dir: Path) -> None:
    """Start the stack in the background; return when it is ready, raise StackError when not."""
    instance = Instance(state_dir)
    with instance.only_starter():
        if _is_up_already(instance):
            return
        is_first = ADMIN_PASSWORD not in secrets.read(state_dir / "secrets.env")
        _start(instance, state_dir / "log" / "stack.log")
        if is_first:  # Said here, not by the stack: what it says is kept in a log.
            made = secrets.read(state_dir / "secrets.env")[ADMIN_PASSWORD]
            say(f"The password is {settings.environment.get(ADMIN_PASSWORD) or made}")


def _start(instance: Instance, log_path: Path) -> None:
    private_folder(log_path.parent)
    with open_private(log_path, "w") as log:
        starter = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _follow(starter, instance, log_path)


def _is_up_already(instance: Instance) -> bool:
    """Say whether a stack is there, waiting for one that somebody is just starting or ending."""
    deadline = time.monotonic() + UP_TIMEOUT_S
    while instance.is_held():
        note = instance.find()
        if note is not None and note.ready:
            say(f"Already running at {note.url} (process {note.pid}).")
            return True
        if time.monotonic() > deadline:
            raise StackError(f"Another start has not finished within {UP_TIMEOUT_S:.0f} s.")
        time.sleep(POLL_INTERVAL_S)
    return False


def _follow(starter: subprocess.Popen[bytes], instance: Instance, log_path: Path) -> None:
    """Show what the starting stack says until it is ready or has given up."""
    deadline = time.monotonic() + UP_TIMEOUT_S
    with log_path.open() as log:
        while True:
            ended = starter.poll() is not None
            note = instance.find()
            sys.stdout.write(log.read())
            sys.stdout.flush()
            if ended:
                raise StackError("The stack did not come up; the reason is above.")
            if note is not None and note.ready and note.pid == starter.pid:
                say("It runs in the background: `make status`, `make logs`, `make down`.")
                return
            if time.monotonic() > deadline:
                starter.terminate()
                raise StackError(f"Not ready after {UP_TIMEOUT_S:.0f} s; see {log_path}")
            time.sleep(POLL_INTERVAL_S)


def down(state_dir: Path) -> None:
    """Stop the running stack and return when all of it is gone."""
    instance = Instance(state_dir)
    note = instance.find()
    if note is None:
        say("Not running.")
        return
    os.kill(note.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while instance.is_held():
        if time.monotonic() > deadline:
            raise StackError(f"Process {note.pid} does not stop; see {state_dir / 'log'}.")
        time.sleep(POLL_INTERVAL_S)
    say("Stopped.")


def logs(state_dir: Path) -> None:
    """Show the logs of all processes and go on showing them; replaces this process by tail."""
    files = sorted(str(path) for path in (state_dir / "log").glob("*.log"))
    if not files:
        raise StackError("Nothing has run here yet, so there are no logs.")
    tail = shutil.which("tail")
    if tail is None:
        raise StackError(f"There is no `tail` here; read the files in {state_dir / 'log'}.")
    os.execv(tail, ["tail", "-n", "20", "-F", *files])  # noqa: S606 - only our own file names.


def status(settings: LocalSettings, state_dir: Path) -> bool:
    """Print the state of every process and its memory; say whether all are ready."""
    note = Instance(state_dir).find()
    if note is None:
        say("Not running.")
        return False
    answers = asyncio.run(_ask_all(settings, note))
    total_mb = _memory_mb(note.pid)
    for name, pid in note.pids.items():
        status_code, body = answers.get(name, (HTTP_OK, ""))
        state = "ready" if status_code == HTTP_OK else f"not ready: {body.strip() or status_code}"
        crashed = f"  restarted {note.restarts[name]}x" if note.restarts.get(name) else ""
        say(f"{name:<{NAME_WIDTH}} {pid:>8} {_memory_mb(pid):7.0f} MB  {state}{crashed}")
    say(f"{note.url}: {total_mb:.0f} MB in all with the supervisor, shared pages counted once")
    return note.ready and all(code == HTTP_OK for code, _ in answers.values())


async def _ask_all(settings: LocalSettings, note: Note) -> dict[str, tuple[int, str]]:
    names = list(note.health_ports)
    asked = (health(settings.reach, note.health_ports[name]) for name in names)
    return dict(zip(names, await asyncio.gather(*asked), strict=True))


def _memory_mb(pid: int) -> float:
    """Return the proportional set size in MB of a process and of all it started."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_pss_bytes(member) for member in family) / 1e6


def _pss_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, "pss", memory.rss))
