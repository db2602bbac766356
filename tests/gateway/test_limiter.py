"""Counting in Redis, and here while it is away; both as the formula says."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.limiter import SCRIPT, Limiter, LocalLimiter
from gateway.rates import Counted, Rate, Verdict
from gateway.store import TIMEOUT_S, Store
from tests.support.waiting import PATIENCE_S, eventually, pause

pytestmark = [pytest.mark.stack, pytest.mark.asvs("E11")]
FIVE, THREE = Rate.parse("five", "5/hour"), Rate.parse("three", "3/hour")


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey_url) as redis:
        await redis.flushdb()
        yield redis


@pytest.fixture
async def store(valkey_url: str, redis: Redis) -> AsyncIterator[Store]:
    store = Store(SecretStr(valkey_url), SCRIPT)
    await store.start()
    assert store.is_up
    yield store
    await store.stop()


async def judge(limiter: Limiter, *counted: Counted) -> Verdict:
    told: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
    limiter.judge(counted, told.set_result)
    return await told


async def test_redis_judges_as_we_do(store):
    there, here = Limiter(store), LocalLimiter()
    requests = [
        [(FIVE, b"a")], [(FIVE, b"a"), (THREE, b"a")], [(FIVE, b"b"), (THREE, b"a")],
        [(THREE, b"b"), (FIVE, b"a")], [(FIVE, b"a"), (THREE, b"a")], [(FIVE, b"a")],
        [(FIVE, b"a")], [(FIVE, b"a"), (THREE, b"a")], [(THREE, b"a")],
    ]  # fmt: skip

    for counted in requests:
        one, other = await judge(there, *counted), here.judge(counted, 1_764_000_000)
        assert (one.is_refused, one.rate, one.left) == (other.is_refused, other.rate, other.left)
        assert abs(one.wait_us - other.wait_us) < 5_000_000


async def test_of_many_at_once_exactly_the_allowance_is_let_in(store, valkey_url):
    """Over two connections, as two gateways would."""
    other = Store(SecretStr(valkey_url), SCRIPT)
    await other.start()
    limiters = [Limiter(store), Limiter(other)] * 200

    verdicts = await asyncio.gather(
        *(judge(limiter, (FIVE, b"many"), (THREE, b"many")) for limiter in limiters)
    )

    assert sum(not verdict.is_refused for verdict in verdicts) == 3
    assert [verdict.rate for verdict in verdicts] == [THREE] * 400
    await other.stop()


async def test_an_allowance_is_kept_no_longer_than_it_says_anything(store, redis):
    await judge(Limiter(store), (FIVE, b"brief"))

    (key,) = await redis.keys("rate:*")
    assert key == b"rate:five:brief"
    assert 715_000 < await redis.pttl(key) <= 720_001


async def test_a_restarted_redis_has_the_script_again(store, redis):
    """Its memory is gone, the script's as well: what is asked meanwhile is judged here."""
    limiter = Limiter(store)
    await redis.script_flush()

    assert not (await judge(limiter, (FIVE, b"restart"))).is_refused
    await eventually(lambda: store.is_up)
    assert not (await judge(limiter, (FIVE, b"restart"))).is_refused
    assert await redis.exists("rate:five:restart")


async def test_a_hung_redis_is_soon_given_up_and_the_limit_holds_here(store, redis):
    pid = (await redis.info("server"))["process_id"]
    limiter = Limiter(store)
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_S):
            verdicts = [await judge(limiter, (THREE, b"hung")) for _ in range(5)]
        assert not store.is_up
    finally:
        os.kill(pid, signal.SIGCONT)

    assert [verdict.is_refused for verdict in verdicts] == [False] * 3 + [True] * 2
    await eventually(lambda: store.is_up)


async def test_a_slow_redis_too_is_given_up_however_steadily_it_replies():
    """Each reply comes in time after the one before, and the last one long after it was asked."""

    async def reply_slowly(reader, writer):
        while command := await reader.read(65_536):
            for _ in range(command.count(b"EVAL")):
                if b"EVALSHA" in command:
                    await pause(TIMEOUT_S * 0.8)
                writer.write(b"+0 1 4 1\r\n")

    server = await asyncio.start_server(reply_slowly, "127.0.0.1", 0)
    store = Store(SecretStr(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"), SCRIPT)
    await store.start()
    limiter, began = Limiter(store), asyncio.get_running_loop().time()

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(judge(limiter, (FIVE, b"slow")) for _ in range(60)))

    assert asyncio.get_running_loop().time() - began < 30 * TIMEOUT_S
    await store.stop()
    server.close()


async def test_without_redis_the_limit_holds_here():
    store = Store(SecretStr("redis://127.0.0.1:9"), SCRIPT)
    await store.start()
    limiter = Limiter(store)

    verdicts = [await judge(limiter, (THREE, b"away")) for _ in range(5)]

    assert not store.is_up
    assert [verdict.is_refused for verdict in verdicts] == [False] * 3 + [True] * 2
    await store.stop()


async def test_many_calls_of_one_turn_are_each_told_their_own_verdict(store):
    limiter = Limiter(store)
    said = await asyncio.gather(
        *(judge(limiter, (rate, b"turn")) for rate in (FIVE, THREE, FIVE, THREE))
    )

    assert [(one.rate, one.left) for one in said] == [(FIVE, 4), (THREE, 2), (FIVE, 3), (THREE, 1)]


async def test_password_and_database_of_the_address_count(valkey_url, redis):
    """The test's server knows no password: then a wrong one is refused."""
    refused = Store(SecretStr(valkey_url.replace("://", "://:secret@")), SCRIPT)
    await refused.start()
    other = Store(SecretStr(valkey_url.replace("?db=0", "?db=5")), SCRIPT)
    await other.start()
    await judge(Limiter(other), (FIVE, b"five"))

    assert not refused.is_up
    assert not await redis.exists("rate:five:five")
    await refused.stop()
    await other.stop()
