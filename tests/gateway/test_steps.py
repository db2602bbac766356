import asyncio

from gateway.steps import Steps
from tests.support.waiting import eventually, pause


async def test_it_runs_at_once_and_goes_on_when_what_it_waits_for_is_done():
    said = []
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        said.append("begun")
        said.append(await answer)
        await pause(0.001)
        said.append("ended")

    Steps(work()).run()
    assert said == ["begun"]
    answer.set_result("answered")

    await eventually(lambda: said == ["begun", "answered", "ended"])


async def test_an_error_of_what_it_waits_for_is_raised_inside():
    said = []

    async def fail() -> None:
        raise ValueError("no")

    async def work() -> None:
        try:
            await asyncio.create_task(fail())
        except ValueError as error:
            said.append(str(error))

    Steps(work()).run()

    await eventually(lambda: said == ["no"])


async def test_cancelled_it_ends_and_so_does_what_it_waits_for():
    ended = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("awaited")

    async def work() -> None:
        try:
            await asyncio.create_task(wait())
        finally:
            ended.append("itself")

    steps = Steps(work())
    steps.run()
    await pause(0)
    steps.cancel()
    steps.cancel()

    await eventually(lambda: set(ended) == {"awaited", "itself"})


async def test_cancelled_in_the_turn_in_which_its_wait_ends_it_just_ends():
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failures: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, failure: failures.append(failure))
    went_on = []

    async def work() -> None:
        await answer
        went_on.append(True)

    steps = Steps(work())
    steps.run()
    answer.set_result(None)
    steps.cancel()
    await pause(0.01)

    asyncio.get_running_loop().set_exception_handler(None)
    assert not went_on
    assert not failures
