"""What fifty sign-ins at once cost everybody else: other requests alone, and beside them.

`python -m benchmarks.sign_in` starts a system of its own, with auth in a process of its own, and
asks it in two ways: by people, who come at their own pace whatever the system does; and by a few
readers who never stop, so that any other work is taken from them. The sign-ins come from a process
of their own: what they cost the asker is not the system's.
"""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

import httpx

from tests.support.stack import running_stack

BURST = 50
READERS = 4
PACE_S = 0.02
ALONE_S = 4.0
PATHS = ("/api/auth/me", "/api/inventory")
Ask = Callable[[str], Awaitable[float]]
Read = Callable[[Ask, Callable[[], bool]], Awaitable[list[float]]]


async def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(
            Path(folder) / "state", RATE_LIMIT_SCALE="10000", SIGN_IN_ATTEMPTS_PER_NETWORK="1000"
        ) as stack,
    ):
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=stack.url, timeout=60, limits=limits) as client:
            headers = await stack.sign_in(client)

            async def ask(path: str) -> float:
                began = time.perf_counter()
                answer = await client.get(path, headers=headers)
                if not answer.is_success:
                    raise RuntimeError(answer.text)
                return (time.perf_counter() - began) * 1000

            await _never_stopping(ask, _after(1.0))
            paced = f"{1 / PACE_S:.0f} requests a second"
            await _compare(stack.url, ask, _paced, f"{paced} (aim: < 2)")
            await _compare(stack.url, ask, _never_stopping, f"{READERS} readers of {PATHS[0]}")


async def _compare(url: str, ask: Ask, read: Read, name: str) -> None:
    crowd = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.sign_in", url), stdin=PIPE, stdout=PIPE
    )
    await _line_of(crowd)  # It is ready.
    alone = await read(ask, _after(ALONE_S))
    burst = asyncio.create_task(_let_go(crowd))
    beside = await read(ask, burst.done)
    statuses, last_s = await burst
    print(f"{name}: ratio {_p95(beside) / _p95(alone):.2f}")
    print(f"    alone                p95 {_p95(alone):6.1f} ms of {len(alone)}")
    print(f"    beside {BURST} sign-ins   p95 {_p95(beside):6.1f} ms of {len(beside)}")
    print(f"    the last sign-in after {last_s:.2f} s; answers: {statuses}")


async def _line_of(process: Process) -> str:
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    return (await process.stdout.readline()).decode()


async def _let_go(crowd: Process) -> tuple[dict[str, int], float]:
    """Let the crowd begin; return how many got each answer, and after how long the last."""
    answers, _ = await crowd.communicate(b"go\n")
    statuses, last_s = json.loads(answers)
    return statuses, last_s


async def sign_in_all(url: str) -> None:
    """Be the crowd: wait for a line, sign in all at once, and tell what came of it."""
    limits = httpx.Limits(max_connections=2 * BURST, max_keepalive_connections=2 * BURST)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        await asyncio.gather(*(client.get("/health") for _ in range(BURST)))
        print(flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(await _sign_in_all(client)))


async def _sign_in_all(client: httpx.AsyncClient) -> tuple[dict[int, int], float]:
    began = time.perf_counter()
    answers = await asyncio.gather(
        *(
            client.post(
                "/api/auth/login",
                json={
                    "email": f"nobody{number}.{time.time_ns()}@example.com",
                    "password": "wrong words here",
                },
            )
            for number in range(BURST)
        )
    )
    found: dict[int, int] = {}
    for answer in answers:
        found[answer.status_code] = found.get(answer.status_code, 0) + 1
    return found, time.perf_counter() - began


async def _paced(ask: Ask, is_over: Callable[[], bool]) -> list[float]:
    """Ask at an even pace, all paths in turn, however long answers take; return the ms of each."""
    asked: list[asyncio.Task[float]] = []
    due = time.perf_counter()
    while not is_over():
        asked.append(asyncio.ensure_future(ask(PATHS[len(asked) % len(PATHS)])))
        due += PACE_S
        await asyncio.sleep(max(due - time.perf_counter(), 0))
    return await asyncio.gather(*asked)


async def _never_stopping(ask: Ask, is_over: Callable[[], bool]) -> list[float]:
    """Ask the first path again and again by a few readers; return the milliseconds of each."""
    found: list[float] = []

    async def reader() -> None:
        while not is_over():
            found.append(await ask(PATHS[0]))

    await asyncio.gather(*(reader() for _ in range(READERS)))
    return found


def _after(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= end


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(sign_in_all(sys.argv[1]) if sys.argv[1:] else main())
