"""The process that all Python processes of the local stack are forked from.

It imports once what they share. Nine processes that each import it for themselves need some
fourteen seconds of processor time before they can work; forked ones need a fifth of that, and share
the memory. Elsewhere (containers, tests) the same modules run by `python -m`, as ever.

It has one thread and opens nothing, so that forking is safe. It talks over one socket. A request
is a JSON line {"module", "arguments", "environment", "folder"} that comes with the descriptor of
the new process's output. Answers are {"started": pid} and, later, {"ended": pid, "code": code}.
When the socket closes it ends, and by the parent-death signal so does all it started.
"""

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from dataclasses import dataclass
from importlib import import_module

from deploy.local.children import die_with_parent
from shared.collector import calm_collector

PRELOADED = (
    "shared.cli",
    "shared.web",
    "shared.journal.follow",
    "shared.db.migrate",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
_CHUNK = 65_536  # bytes


@dataclass(frozen=True)
class Request:
    """One process to start."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    output: int  # descriptor


def main(control: socket.socket) -> None:
    """Fork on request until the other side closes `control`; in a fork, become what was asked."""
    calm_collector()
    for module in PRELOADED:
        import_module(module)
    gc.collect()
    gc.freeze()  # The collector would otherwise touch, and so copy, every shared page.
    forker = os.getpid()
    request = _serve(control)
    if request is not None:
        control.close()
        die_with_parent(parent=forker)()
        _become(request)


def _serve(control: socket.socket) -> Request | None:
    """Return None in this process, at its end; return the request in every process forked here."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # Only a handled signal writes to `wake`.
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        readable, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in readable:
            os.read(woken, _CHUNK)
            _report_the_ended(control)
        if control.fileno() in readable:
            request = _receive(control)
            if request is None:
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                os.close(woken)
                os.close(wake)
                return request
            os.close(request.output)
            _answer(control, {"started": pid})


def _receive(control: socket.socket) -> Request | None:
    text, descriptors, _, _ = socket.recv_fds(control, _CHUNK, 1)
    while text and not text.endswith(b"\n"):
        more = control.recv(_CHUNK)
        if not more:
            return None
        text += more
    return Request(**json.loads(text), output=descriptors[0]) if text else None


def _report_the_ended(control: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _answer(control, {"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _answer(control: socket.socket, message: dict[str, int]) -> None:
    control.sendall(json.dumps(message).encode() + b"\n")


def _become(request: Request) -> None:
    """Make this fork look as if `python -m module arguments` had been started."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(request.output, sys.stdout.fileno())
    os.dup2(request.output, sys.stderr.fileno())
    os.close(request.output)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    sys.argv = [request.module, *request.arguments]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # Ctrl-C and SIGTERM are the supervisor's business; it ends this process by the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(socket.socket(fileno=int(sys.argv[1])))
