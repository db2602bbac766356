"""The two embedded servers for as long as a `with` block lasts: for tests and tools."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.local import postgres, valkey
from deploy.local.children import die_with_parent
from deploy.local.errors import StackError
from deploy.local.private import open_private

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


@contextmanager
def embedded_postgres(
    data_dir: Path,
    settings: Mapping[str, str] | None = None,
    *,
    start_timeout_s: float = START_TIMEOUT_S,
) -> Iterator[str]:
    """Run PostgreSQL on `data_dir` (made if new) and yield the superuser's DSN.

    `settings` go over the ones of deploy.local.postgres. The server's log is
    `data_dir`.log beside the folder. The data stay. Raises StackError.
    """
    server = postgres.prepare(data_dir, settings)
    log_path = server.data_dir.with_name(f"{server.data_dir.name}.log")
    with ExitStack() as stack:
        stack.callback(server.remove_socket_dir)
        running = running_server(
            server.command,
            server.is_ready,
            log_path,
            stop=signal.SIGINT,
            patience_s=start_timeout_s,
        )
        stack.enter_context(running)
        yield server.superuser_dsn


@contextmanager
def embedded_valkey(
    data_dir: Path | None = None,
    port: int | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run Valkey and yield its URL; without `port` it listens on a private socket only.

    With `secrets` who names no user may do nothing.
    """
    with ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = valkey.prepare(folder, port, secrets)
        stack.callback(server.remove_socket_dir)
        log_path = server.folder / "valkey.log"
        running = running_server(server.command, server.is_ready, log_path, stop=signal.SIGTERM)
        stack.enter_context(running)
        yield server.url


@contextmanager
def running_server(
    command: Sequence[str],
    is_ready: Callable[[int], bool],
    log_path: Path,
    *,
    stop: signal.Signals,
    patience_s: float = START_TIMEOUT_S,
) -> Iterator[None]:
    with open_private(log_path, "a") as log:
        process = subprocess.Popen(  # noqa: S603 - the command is ours.
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal reaches the caller, who stops us.
            preexec_fn=die_with_parent(stop),  # noqa: PLW1509 - one prctl call, safe after fork.
        )
    try:
        _wait_until_ready(process, is_ready, log_path, patience_s)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(
    process: subprocess.Popen[bytes],
    is_ready: Callable[[int], bool],
    log_path: Path,
    patience_s: float,
) -> None:
    deadline = time.monotonic() + patience_s
    while not is_ready(process.pid):
        if process.poll() is not None:
            lines = log_path.read_text(errors="replace").splitlines()
            raise StackError(f"The server stopped: {lines[-1] if lines else log_path}")
        if time.monotonic() > deadline:
            raise StackError(f"Not ready after {patience_s:.0f} s; see {log_path}")
        time.sleep(0.02)
