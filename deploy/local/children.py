"""Child processes that never outlive the one that started them."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(
    stop_signal: signal.Signals = signal.SIGTERM, *, parent: int | None = None
) -> Callable[[], None]:
    """Return a `preexec_fn`: the kernel sends `stop_signal` when the parent is gone, however.

    `parent` is the parent's process id, by default this process's own. Linux only; elsewhere a
    parent killed with SIGKILL leaves its children running.
    """
    expected = os.getpid() if parent is None else parent
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before_exec() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal))
            if os.getppid() != expected:  # It died between fork and prctl.
                os.kill(os.getpid(), stop_signal)

    return before_exec
