"""Several processes on one port, each accepting for itself; one that ends is replaced."""

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Final

import structlog

RESTART_AFTER_S: Final = 1.0

log = structlog.get_logger()


class Processes:
    """Keeps `count` processes running until SIGTERM or SIGINT, which they get too."""

    def __init__(self, run: Callable[[int], None], count: int) -> None:
        """`run` gets the process's number, from 0; it must be importable."""
        self._run = run
        self._stopping = False
        self._context = multiprocessing.get_context("spawn")
        self._running: dict[int, BaseProcess] = {}
        self._count = count

    def keep(self) -> None:
        """Start them, and return when the last one has ended."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        for number in range(self._count):
            self._start(number)
        while self._running:
            ended = wait([each.sentinel for each in self._running.values()])
            for number, process in [*self._running.items()]:
                if process.sentinel in ended:
                    self._replace(number, process)

    def _start(self, number: int) -> None:
        process = self._context.Process(target=self._run, args=(number,), name=f"gateway-{number}")
        process.start()
        self._running[number] = process

    def _replace(self, number: int, process: BaseProcess) -> None:
        del self._running[number]
        if not self._stopping:
            log.error("process ended", number=number, status=process.exitcode)
            time.sleep(RESTART_AFTER_S)
        if not self._stopping:
            self._start(number)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for process in [*self._running.values()]:
            process.terminate()
