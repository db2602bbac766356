import pytest
from redis.asyncio import Redis

from services.reporting.cache import metrics, service
from shared.errors import MissingScope
from tests.support.services import ALL_SCOPES, Caller, assert_problem

pytestmark = pytest.mark.stack

URL = "/api/cache/stats"


@pytest.fixture
def caller() -> Caller:
    return Caller(scopes={*ALL_SCOPES, "tenant:manage"})


async def test_stats_tell_memory_and_hit_rate_by_prefix(get):
    before = await get(URL)
    await get("/api/dashboard/stats")
    await get("/api/dashboard/stats")

    after = await get(URL)

    assert after["status"] == "connected"
    assert after["keys"] >= 1
    assert 0 < after["size_bytes"] <= after["memory_usage_bytes"]
    looked_up = {p["prefix"]: (p["hits"], p["misses"]) for p in after["prefixes"]}
    earlier = {p["prefix"]: (p["hits"], p["misses"]) for p in before["prefixes"]}
    hits, misses = earlier.get("dashboard", (0, 0))
    assert looked_up["dashboard"] == (hits + 1, misses + 1)


async def test_with_the_cache_away_stats_say_so(get, resources, monkeypatch):
    nowhere = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(resources, "redis", nowhere)

    stats = await get(URL)

    assert (stats["status"], stats["keys"], stats["hit_rate"]) == ("away", None, None)


async def test_gauges_follow_what_the_cache_says(resources):
    await service.refresh_gauges(resources.redis)

    assert 0 < metrics.cache_size._value.get() <= metrics.cache_memory_usage._value.get()


async def test_stats_are_of_all_tenants_and_shown_to_no_tenants_administrator(client):
    assert_problem(await client.get(URL, headers=Caller().headers()), MissingScope)
