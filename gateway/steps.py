"""Running a coroutine without a task: cheaper, and at once instead of in the loop's next turn."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Steps:
    """Runs a coroutine at once up to the first future that it awaits, and on when that is done.

    There is no current task inside: what needs one (`asyncio.timeout`, httpx) runs in a task of its
    own, which may be awaited.
    """

    __slots__ = ("_coroutine", "_waited")

    def __init__(self, coroutine: Coroutine[Any, None, None]) -> None:
        self._coroutine = coroutine
        self._waited: asyncio.Future[Any] | None = None

    def run(self, done: "asyncio.Future[Any] | None" = None) -> None:
        """Run on until there is something to wait for."""
        if done is not self._waited:
            return  # Cancelled when what it waited for was done already, and told us too late.
        self._waited = None
        try:
            waited = self._coroutine.send(None)
        except StopIteration:
            return
        # What a task does with what its coroutine yields (asyncio.Future.__await__).
        waited._asyncio_future_blocking = False  # noqa: SLF001  So they say it to each other.
        waited.add_done_callback(self.run)
        self._waited = waited

    def cancel(self) -> None:
        """Run on no more, nor what is awaited."""
        waited, self._waited = self._waited, None
        if waited is not None:
            waited.remove_done_callback(self.run)
            waited.cancel()
            self._coroutine.close()
