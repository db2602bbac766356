import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway import pool as gateway_pool
from gateway.connection import Connection
from gateway.pool import IDLE_MAX_S, Pool, UnreachableError
from tests.support.gateway import Service


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """A pool of one connection."""
    service = Service()
    await service.start()
    yield Pool(f"http://127.0.0.1:{service.port}", size=1)
    await service.hang_up()
    await service.stop()


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


async def lend(pool: Pool) -> Connection:
    return (await pool.acquire(soon()))[0]


async def test_a_connection_given_back_is_lent_again(pool: Pool):
    connection, used = await pool.acquire(soon())
    pool.release(connection)

    assert not used
    assert await pool.acquire(soon()) == (connection, True)


async def test_one_that_has_long_been_idle_is_closed_not_lent(pool: Pool):
    old = await lend(pool)
    pool.release(old)
    old.idle_since -= IDLE_MAX_S + 1

    new, used = await pool.acquire(soon())

    assert (old.closed, new.closed, used) == (True, False, False)


async def test_whoever_waits_is_served_in_order(pool: Pool):
    connection = await lend(pool)
    waiting = [asyncio.create_task(lend(pool)) for _ in range(3)]
    await asyncio.sleep(0)

    for place, task in enumerate(waiting):
        pool.release(connection)
        assert await task is connection
        assert not any(later.done() for later in waiting[place + 1 :])


async def test_the_place_of_a_closed_connection_goes_to_who_waits(pool: Pool):
    connection = await lend(pool)
    waiting = asyncio.create_task(lend(pool))
    await asyncio.sleep(0)

    connection.close()

    assert not (await waiting).closed


@pytest.mark.parametrize("handed_over", ["connection", "place"])
async def test_what_is_handed_to_one_who_just_gave_up_is_not_lost(pool: Pool, handed_over):
    connection = await lend(pool)
    waiting = asyncio.create_task(lend(pool))
    await asyncio.sleep(0)

    if handed_over == "connection":
        pool.release(connection)
    else:
        connection.closed = True
        pool.forget(connection)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting

    assert not (await lend(pool)).closed


async def test_waiting_ends_at_the_deadline(pool: Pool):
    await lend(pool)

    with pytest.raises(UnreachableError):
        await pool.acquire(asyncio.get_running_loop().time() + 0.05)


async def test_only_so_many_wait(pool: Pool, monkeypatch):
    monkeypatch.setattr(gateway_pool, "WAITERS_MAX", 2)
    await lend(pool)
    waiting = [asyncio.create_task(lend(pool)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(UnreachableError):
        await pool.acquire(soon())
    for task in waiting:
        task.cancel()


async def test_a_failed_attempt_keeps_no_place():
    pool = Pool("http://127.0.0.1:9", size=1)

    for _ in range(3):
        with pytest.raises(UnreachableError):
            await pool.acquire(soon())


@pytest.mark.parametrize("url", ["https://a", "127.0.0.1:80", "http://", ""])
def test_an_address_is_plain_http(url):
    with pytest.raises(ValueError, match="is no http:// address"):
        Pool(url, size=1)
