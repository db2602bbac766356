"""What fifty sign-ins at once cost everybody else: other requests alone, and beside them.

`python -m benchmarks.sign_in` starts a system of its own, with auth in a process of its own.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import httpx

from tests.support.stack import running_stack

BURST = 50
READERS = 4
ALONE_S = 4.0
PATH = "/api/auth/me"


async def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder) / "state", RATE_LIMIT_SCALE="10000") as stack,
    ):
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=stack.url, timeout=60, limits=limits) as client:
            headers = await stack.sign_in(client)
            await _read(client, headers, until=_after(1.0))
            alone = await _read(client, headers, until=_after(ALONE_S))
            burst = asyncio.create_task(_sign_in_all(client))
            beside = await _read(client, headers, until=burst.done)
            statuses, last_s = await burst
    print(f"{PATH} alone:           p95 {_p95(alone):6.1f} ms of {len(alone)}")
    print(f"{PATH} beside {BURST} sign-ins: p95 {_p95(beside):6.1f} ms of {len(beside)}")
    print(
        f"ratio {_p95(beside) / _p95(alone):.2f} (aim: < 2); the last sign-in after {last_s:.2f} s"
    )
    print(f"answers: {statuses}")


async def _sign_in_all(client: httpx.AsyncClient) -> tuple[dict[int, int], float]:
    began = time.perf_counter()
    answers = await asyncio.gather(
        *(
            client.post(
                "/api/auth/login",
                json={"email": f"nobody{number}@example.com", "password": "wrong words here"},
            )
            for number in range(BURST)
        )
    )
    found: dict[int, int] = {}
    for answer in answers:
        found[answer.status_code] = found.get(answer.status_code, 0) + 1
    return found, time.perf_counter() - began


async def _read(
    client: httpx.AsyncClient, headers: dict[str, str], until: Callable[[], bool]
) -> list[float]:
    """Read again and again by a few readers; return the milliseconds of each."""
    found: list[float] = []

    async def reader() -> None:
        while not until():
            began = time.perf_counter()
            answer = await client.get(PATH, headers=headers)
            if not answer.is_success:
                raise RuntimeError(answer.text)
            found.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(reader() for _ in range(READERS)))
    return found


def _after(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= end


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


if __name__ == "__main__":
    asyncio.run(main())
