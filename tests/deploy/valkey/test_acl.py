"""Each program's user does its own work on a real server, and nothing else."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import SecretStr, TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from deploy.local.secrets import fresh
from deploy.local.settings import ROOT
from deploy.local.stack import embedded_valkey
from deploy.valkey.acl import MONITOR, OPERATOR, RULES, USERS, acl_file, password_name, url_as
from gateway.limiter import SCRIPT, Limiter
from gateway.rates import Rates
from gateway.store import Store
from services.reporting.cache.service import find_usage
from shared.cache import Cache
from shared.journal.wake import Waker
from tests.support.ports import reserved_ports
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack
SECRETS = fresh()
EXPORTER = "prometheus-redis-exporter"
FOLLOWS = {
    "inventory": {"auth", "inventory", "forecasting", "reporting"},
    "forecasting": {"inventory"},
    "reporting": {"auth", "inventory", "forecasting"},
}
PREFIXES = {"forecasting": "forecast", "reporting": "dashboard"}
PROGRAMS = [user for user in USERS if user != OPERATOR]
TOO_MUCH = [
    ("FLUSHALL",), ("FLUSHDB",), ("KEYS", "*"), ("SCAN", "0"), ("CONFIG", "GET", "*"),
    ("ACL", "LIST"), ("SHUTDOWN",), ("MONITOR",), ("DEL", "rate:x"),
    ("CLIENT", "LIST"), ("SCRIPT", "FLUSH"), ("PSUBSCRIBE", "*"),
]  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with embedded_valkey(Path(tmp_path_factory.mktemp("guarded")), secrets=SECRETS) as found:
        yield found


@pytest.fixture
async def as_user(url):
    """Return a function that gives a client of a user."""
    opened = []

    def open_as(user):
        opened.append(Redis.from_url(url_as(url, user, SECRETS), decode_responses=True))
        return opened[-1]

    yield open_as
    for client in opened:
        await client.aclose()


@pytest.mark.parametrize("user", PREFIXES)
async def test_who_caches_keeps_and_finds_what_is_his(as_user, user):
    cache, form, prefix = Cache(as_user(user), b"k" * 32), TypeAdapter(str), PREFIXES[user]

    async def compute():
        return "computed"

    async def fail():
        raise AssertionError

    assert await cache.get_or_compute(prefix, "key", 60, form, compute) == "computed"
    assert await cache.get_or_compute(prefix, "key", 60, form, fail) == "computed"


@pytest.mark.parametrize("user", FOLLOWS)
async def test_who_follows_is_woken_by_whom_he_follows(as_user, user):
    waker = Waker(as_user(user))
    listening = asyncio.create_task(waker.listen(FOLLOWS[user]))
    try:
        for producer in FOLLOWS[user]:
            caller = Waker(as_user(producer))

            async def is_woken(caller=caller, producer=producer):
                caller.wake(producer)
                before = asyncio.get_running_loop().time()
                await waker.wait(producer, 0.5)
                return asyncio.get_running_loop().time() - before < 0.4

            assert await eventually(is_woken)
    finally:
        listening.cancel()


async def test_the_gateway_counts_with_its_script(url):
    store = Store(SecretStr(url_as(url, "gateway", SECRETS)), SCRIPT)
    await store.start()
    verdicts = []
    Limiter(store).judge(Rates("1000/hour", 1.0).of_stranger("sign-in", b"net"), verdicts.append)
    await eventually(lambda: verdicts)

    assert store.is_up
    assert not verdicts[0].is_refused
    assert await _count(url, "rate:*")
    await store.stop()


async def test_reporting_tells_how_full_the_cache_is(as_user):
    assert await find_usage(as_user("reporting")) is not None


async def test_who_watches_reads_figures_and_leaves_nothing_in_the_log(as_user):
    """What redis_exporter sends as compose starts it, and nothing of it is refused."""
    monitor, operator = as_user(MONITOR), as_user(OPERATOR)
    await operator.execute_command("ACL LOG", "RESET")

    assert (await monitor.info("all"))["maxmemory"] > 0
    assert await monitor.execute_command("LATENCY LATEST") == []
    assert await monitor.execute_command("SLOWLOG LEN") >= 0
    assert await monitor.execute_command("SLOWLOG GET", 1) is not None
    refused = {entry["object"] for entry in await operator.execute_command("ACL LOG")}
    assert refused <= {"client|setinfo"}  # Sent by the library of this test alone.
    for command in (("SLOWLOG", "RESET"), ("CONFIG", "GET", "maxmemory"), ("LATENCY", "RESET"),
                    ("DBSIZE",), ("SUBSCRIBE", "journal:auth")):  # fmt: skip
        with pytest.raises(NoPermissionError):
            await monitor.execute_command(*command)


@pytest.mark.skipif(shutil.which(EXPORTER) is None, reason=f"{EXPORTER} is not installed")
async def test_the_exporter_reads_its_figures_as_that_user(url, as_user, tmp_path):
    address = url.partition("?")[0]
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({address: SECRETS[password_name(MONITOR)]}))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    operator = as_user(OPERATOR)
    await operator.execute_command("ACL LOG", "RESET")
    with reserved_ports(1) as [port], (tmp_path / "log").open("wb") as log:
        told = compose["valkey-exporter"]["environment"] | {
            "REDIS_EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{port}",
            "REDIS_ADDR": address,
            "REDIS_PASSWORD_FILE": str(passwords),
            "REDIS_EXPORTER_TLS_CA_CERT_FILE": "",
        }
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own words.
            [EXPORTER], env={**told, "PATH": os.environ["PATH"]}, stdout=log, stderr=log
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                lines = await eventually(lambda: _scrape(client))
        finally:
            process.kill()
            process.wait()

    assert "redis_up 1" in lines
    assert 'redis_exporter_last_scrape_error{err=""} 0' in lines
    assert await operator.execute_command("ACL LOG") == []


async def _scrape(client):
    try:
        return (await client.get("/metrics")).text.splitlines()
    except httpx.TransportError:
        return []


@pytest.mark.parametrize("user", PROGRAMS)
async def test_nobody_does_what_is_not_his(as_user, user):
    client = as_user(user)
    foreign = ["other:key", *(f"{p}:key" for u, p in PREFIXES.items() if u != user)]
    if user != "gateway":
        foreign.append("rate:key")

    assert await client.ping()
    for command in (*TOO_MUCH, *(("GET", key) for key in foreign),
                    *(("SET", key, "1") for key in foreign), ("MGET", *foreign),
                    ("PUBLISH", "other", "")):  # fmt: skip
        with pytest.raises(NoPermissionError):
            await client.execute_command(*command)


async def test_who_gives_no_password_may_ask_whether_it_is_there_and_no_more(url):
    async with Redis.from_url(url) as nobody:
        assert await nobody.ping()
        for command in (*TOO_MUCH, ("GET", "rate:key"), ("INFO",)):
            with pytest.raises(NoPermissionError):
                await nobody.execute_command(*command)


async def test_a_wrong_password_is_refused(url):
    wrong = SECRETS | {password_name("auth"): "wrong"}
    async with Redis.from_url(url_as(url, "auth", wrong)) as client:
        with pytest.raises(RedisConnectionError, match="invalid username-password"):
            await client.ping()


def test_the_file_holds_no_password():
    text = acl_file(SECRETS)

    assert not [name for name, value in SECRETS.items() if value in text]
    assert [line.split()[1] for line in text.splitlines()] == list(RULES)


async def _count(url, pattern):
    async with Redis.from_url(url_as(url, OPERATOR, SECRETS)) as operator:
        return len(await operator.keys(pattern))
