"""What can be known to be wrong before anything is started, each in one line."""

import errno
import shutil
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from deploy.local.errors import StackError

DISK_FREE_MIN = 300_000_000  # bytes: a new database with its first WAL files, and room to work
PORT_WAIT_S = 3.0  # A stack that has just been killed needs a moment to let its ports go.


def refuse_full_disk(folder: Path, needed: int = DISK_FREE_MIN) -> None:
    """Raise StackError when fewer than `needed` bytes are free where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StackError(
            f"Disk full: {free / 1e6:.0f} MB free in {folder}, "
            f"the stack needs at least {needed / 1e6:.0f} MB."
        )


def refuse_taken_ports(
    host: str, uses: Iterable[tuple[int, str, str]], wait_s: float = PORT_WAIT_S
) -> None:
    """Raise StackError naming every port that something else listens on.

    `uses` is (port, what needs it, how to change it). Waits up to `wait_s` for ports to come free.
    """
    deadline = time.monotonic() + wait_s
    taken = []
    for port, name, advice in uses:
        while (reason := _why_not_free(host, port)) is not None:
            if time.monotonic() >= deadline:
                taken.append(f"Port {port} for {name} {reason}; {advice} to another one.")
                break
            time.sleep(0.1)
    if taken:
        raise StackError("\n".join(taken))


def _why_not_free(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is taken"
            return f"cannot be used on {host} ({error.strerror})"
    return None
