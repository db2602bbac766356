import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway import pool as gateway_pool
from gateway.breaker import FAILURES_MAX, OPEN_MIN_S
from gateway.connection import Connection
from gateway.errors import Overloaded, ServiceAway
from gateway.pool import IDLE_MAX_S, Service
from gateway.shares import Holder
from shared.errors import Problem
from tests.support.gateway import Service as Running
from tests.support.waiting import eventually

pools: list[Service] = []


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    running = Running()
    await running.start()
    yield running
    for pool in pools:
        pool.close()
    pools.clear()
    await running.hang_up()
    await running.stop()


@pytest.fixture
def pool(running: Running) -> Service:
    """A pool of one connection."""
    return make_pool(running, size=1)


def make_pool(*running: Running, size: int) -> Service:
    pools.append(Service("x", [f"http://127.0.0.1:{each.port}" for each in running], size=size))
    return pools[-1]


class Asking:
    """Somebody who asks for a connection and notes what comes of it."""

    def __init__(self, user: str = "user", tenant: str = "tenant", *, is_stream=False) -> None:
        self.holder: Holder = (user.encode(), tenant.encode())
        self.is_stream = is_stream
        self.queued_at = 0.0
        self.avoided = None
        self.connection: Connection | None = None
        self.problem: Problem | None = None

    def on_connection(self, connection: Connection) -> None:
        self.connection = connection
        connection.reader = None

    def on_refused(self, problem: Problem) -> None:
        self.problem = problem

    def ask(self, pool: Service) -> "Asking":
        self.connection = pool.take(self, now())
        return self

    async def answer(self) -> Connection:
        await eventually(lambda: self.connection or self.problem)
        assert self.connection is not None
        return self.connection


def now() -> float:
    return asyncio.get_running_loop().time()


async def lend(pool: Service, **who) -> Connection:
    return await Asking(**who).ask(pool).answer()


async def test_a_connection_given_back_is_lent_again(pool: Service):
    connection = await lend(pool)
    connection.instance.release(connection)

    assert Asking().ask(pool).connection is connection


async def test_one_that_has_long_been_idle_is_closed_not_lent(pool: Service):
    old = await lend(pool)
    old.instance.release(old)
    old.idle_since -= IDLE_MAX_S + 1

    new = await lend(pool)

    assert (old.closed, new.closed) == (True, False)


async def test_whoever_waits_is_served_in_order(pool: Service):
    connection = await lend(pool)
    waiting = [Asking().ask(pool) for _ in range(3)]

    for place, each in enumerate(waiting):
        connection.instance.release(connection)
        assert each.connection is connection
        assert not any(later.connection for later in waiting[place + 1 :])


async def test_the_place_of_a_closed_connection_goes_to_who_waits(pool: Service):
    connection = await lend(pool)
    waiting = Asking().ask(pool)

    connection.close()

    assert not (await waiting.answer()).closed


async def test_who_gave_up_waiting_is_passed_over(pool: Service):
    connection = await lend(pool)
    leaving, staying = Asking().ask(pool), Asking().ask(pool)
    pool.leave(leaving)

    connection.instance.release(connection)

    assert leaving.connection is None
    assert staying.connection is connection


async def test_waiting_ends_in_time_and_sooner_when_there_is_no_end_of_it(pool: Service):
    await lend(pool)
    first = Asking().ask(pool)
    began = first.queued_at

    pool.sweep(began + gateway_pool.CALM_S - 0.01)
    second = Asking()
    pool.take(second, began + gateway_pool.CALM_S)
    assert first.problem is None
    pool.sweep(began + gateway_pool.CALM_S + 0.1)
    assert isinstance(first.problem, Overloaded)
    assert second.problem is None
    pool.sweep(began + gateway_pool.CALM_S + gateway_pool.BUSY_WAIT_MAX_S + 0.1)
    assert isinstance(second.problem, Overloaded)


async def test_a_user_may_have_half_and_the_others_do_not_wait_for_him(running: Running):
    pool = make_pool(running, size=4)
    taken = [await lend(pool, user="greedy") for _ in range(2)]
    more = [Asking("greedy").ask(pool) for _ in range(10)]

    assert (await lend(pool, user="modest", tenant="other")).is_usable
    assert not any(each.connection for each in more)
    taken[0].instance.release(taken[0])
    assert [each.connection is not None for each in more] == [True] + [False] * 9


async def test_bodies_that_are_still_arriving_hold_a_part_only(running: Running):
    pool = make_pool(running, size=8)
    streams = [Asking(f"u{n}", f"t{n}", is_stream=True).ask(pool) for n in range(10)]
    await eventually(lambda: sum(each.connection is not None for each in streams) == 2)

    assert (await lend(pool)).is_usable


async def test_only_so_many_wait(pool: Service, running: Running):
    await lend(pool)
    for tenant in range(2):
        for user in range(2):
            for _ in range(256):
                Asking(f"u{tenant}{user}", f"t{tenant}").ask(pool)

    with pytest.raises(Overloaded):
        Asking("other", "other").ask(pool)


async def test_one_user_does_not_fill_the_queue(pool: Service):
    await lend(pool)
    for _ in range(256):
        Asking().ask(pool)

    with pytest.raises(Overloaded):
        Asking().ask(pool)
    Asking("other").ask(pool)


async def test_a_failed_attempt_keeps_no_place_and_many_open_the_breaker():
    pool = Service("x", ["http://127.0.0.1:9"], size=1)

    for _ in range(5):
        asking = Asking().ask(pool)
        await eventually(lambda asking=asking: asking.problem)
        assert isinstance(asking.problem, ServiceAway)
        assert pool.instances[0].open == 0
    with pytest.raises(ServiceAway):
        Asking().ask(pool)


async def test_an_instance_that_is_away_costs_nobody_an_answer(running: Running):
    pool = Service("x", ["http://127.0.0.1:9", f"http://127.0.0.1:{running.port}"], size=4)

    for _ in range(10):
        connection = await lend(pool)
        assert connection.instance is pool.instances[1]
        connection.instance.release(connection)


@pytest.mark.parametrize("instances", [1, 2])
async def test_once_the_only_ones_left_are_back_nobody_is_turned_away(
    running: Running, instances: int
):
    pool = make_pool(*[running] * instances, size=60)
    for instance in pool.instances:
        for _ in range(FAILURES_MAX):
            instance.breaker.failed(now() - OPEN_MIN_S)
    first = await lend(pool)
    first.instance.breaker.succeeded(now())

    asking = [Asking(str(turn), str(turn)).ask(pool) for turn in range(50)]

    assert all([await each.answer() for each in asking])


async def test_the_least_busy_instance_is_chosen(running: Running):
    other = Running()
    await other.start()
    pool = make_pool(running, other, size=8)

    lent = [await lend(pool, user=str(n), tenant=str(n)) for n in range(6)]

    assert [each.busy for each in pool.instances] == [3, 3]
    for connection in lent:
        connection.close()
    await eventually(lambda: not any(each.open for each in pool.instances))
    await other.stop()


@pytest.mark.parametrize("url", ["https://a", "127.0.0.1:80", "http://", ""])
def test_an_address_is_plain_http(url):
    with pytest.raises(ValueError, match="is no http:// address"):
        Service("x", [url], size=1)
