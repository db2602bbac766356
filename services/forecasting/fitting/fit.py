"""What runs in a training process. The worker imports this module, but never what it uses."""

import multiprocessing
import os
import signal
import threading
from typing import Any

from services.forecasting.training.rules import ErrorCode

PRELOADED = "services.forecasting.fitting.preload"


def prepare() -> None:
    """Make a new process end with the worker, which alone answers to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def fit(request: dict[str, Any]) -> dict[str, Any]:
    """Return `{"result": ...}` of training one item, or `{"error": {"code": ..., ...}}`.

    Plain data either way: an exception of the numeric side would drag its libraries into the
    process that receives it.
    """
    from services.forecasting.methods.method import (  # noqa: PLC0415 - in this process alone.
        MethodFailed,
        TooLittleData,
    )
    from services.forecasting.methods.training import fit_series  # noqa: PLC0415 - same.

    try:
        return {"result": fit_series(request)}  # type: ignore[arg-type]  # Made by rules.
    except TooLittleData as error:
        return {
            "error": {
                "code": ErrorCode.TOO_LITTLE_DATA.value,
                "usable_days": error.usable_days,
                "needed_days": error.needed_days,
            }
        }
    except MethodFailed as error:
        return {"error": {"code": ErrorCode.METHOD_FAILED.value, "reason": str(error)}}


def _end_with_parent() -> None:
    """Wait for the worker's end: killed, it cannot tell its processes to go."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
