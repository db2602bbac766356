"""How full the cache is and how well it serves."""

from collections import defaultdict
from dataclasses import dataclass

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.reporting.cache import metrics as gauges
from services.reporting.cache.rules import hit_rate
from services.reporting.cache.schemas import CacheStatsRead, PrefixRead
from shared import metrics


@dataclass(frozen=True, slots=True)
class Usage:
    """What Redis or Valkey says of itself (INFO, DBSIZE)."""

    keys: int
    size_bytes: int
    memory_usage_bytes: int
    memory_limit_bytes: int
    evicted_keys: int
    hits: int
    misses: int


async def get_stats(redis: Redis) -> CacheStatsRead:
    """Return the cache's state, whether it answers or not."""
    usage = await find_usage(redis)
    return CacheStatsRead(
        status="connected" if usage else "away",
        keys=usage.keys if usage else None,
        size_bytes=usage.size_bytes if usage else None,
        memory_usage_bytes=usage.memory_usage_bytes if usage else None,
        memory_limit_bytes=usage.memory_limit_bytes if usage else None,
        evicted_keys=usage.evicted_keys if usage else None,
        hits=usage.hits if usage else None,
        misses=usage.misses if usage else None,
        hit_rate=hit_rate(usage.hits, usage.misses) if usage else None,
        prefixes=_by_prefix(),
    )


async def refresh_gauges(redis: Redis) -> None:
    """Bring the gauges up to date; with the cache away they stay as they were."""
    usage = await find_usage(redis)
    if usage is not None:
        gauges.cache_size.set(usage.size_bytes)
        gauges.cache_memory_usage.set(usage.memory_usage_bytes)


async def find_usage(redis: Redis) -> Usage | None:
    """Return what the cache says of itself; None when it does not answer."""
    try:
        told = await redis.info("memory", "stats")
        keys = await redis.dbsize()
    except (RedisError, OSError):
        return None
    return Usage(
        keys=keys,
        size_bytes=told["used_memory_dataset"],
        memory_usage_bytes=told["used_memory"],
        memory_limit_bytes=told["maxmemory"],
        evicted_keys=told["evicted_keys"],
        hits=told["keyspace_hits"],
        misses=told["keyspace_misses"],
    )


def _by_prefix() -> list[PrefixRead]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for at, counter in enumerate((metrics.cache_hits, metrics.cache_misses)):
        for prefix, count in _counted(counter).items():
            found[prefix][at] = count
    return [
        PrefixRead(prefix=prefix, hits=hits, misses=misses, hit_rate=hit_rate(hits, misses))
        for prefix, (hits, misses) in sorted(found.items())
    ]


def _counted(counter: Counter) -> dict[str, int]:
    return {
        sample.labels["key_prefix"]: int(sample.value)
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }
