import asyncio
import time
from contextlib import suppress
from itertools import pairwise

import pytest

from shared.jobs import every, run_together
from tests.support.waiting import PATIENCE_S, pause


async def stop_when(task: asyncio.Task[None], event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_work_is_done_at_once_and_again_after_each_interval():
    done: list[float] = []
    enough = asyncio.Event()

    async def work() -> None:
        done.append(time.perf_counter())
        if len(done) == 3:
            enough.set()

    started = time.perf_counter()
    await stop_when(asyncio.create_task(every(0.03, "test", work)), enough)

    assert done[1] - started >= 0.03
    assert all(later - earlier >= 0.029 for earlier, later in pairwise(done))


async def test_a_failure_waits_for_the_next_time_and_ends_nothing():
    enough = asyncio.Event()
    calls = 0

    async def work() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            enough.set()
        raise LookupError("nothing there")

    await stop_when(asyncio.create_task(every(0.001, "test", work)), enough)

    assert calls >= 3


async def test_a_loop_that_is_cancelled_ends():
    task = asyncio.create_task(every(0.01, "test", asyncio.Event().wait))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_in_place_of_a_cancellation_ends_it_too():
    """A driver that is just connecting makes an error of its own of a cancellation."""

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("gave up") from None

    task = asyncio.create_task(every(0.01, "test", work))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(task, PATIENCE_S)


async def test_loops_run_side_by_side_and_one_error_ends_them_all():
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async def failing() -> None:
        await pause(0.01)
        raise LookupError

    with pytest.raises(ExceptionGroup) as caught:
        await run_together(endless(), failing())

    assert caught.group_contains(LookupError)
    assert ended == ["endless"]


async def test_without_loops_there_is_nothing_to_wait_for():
    assert await run_together() is None
