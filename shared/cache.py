"""The cache: values in Redis, as JSON, for a while. With Redis away all is merely computed."""

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import metrics
from shared.security.sealing import SealBroken, Sealer

ValueT = TypeVar("ValueT")


class Cache:
    """Values by prefix and key; sealed when a sealer is given, since some hold prices.

    What a value is of stands in its name as a keyed hash: without the key nobody can tell whether
    it is of a tenant that he thinks of.
    """

    def __init__(self, redis: Redis, name_key: bytes, sealer: Sealer | None = None) -> None:
        self._redis = redis
        self._name_key = name_key
        self._sealer = sealer

    def sealed_by(self, sealer: Sealer) -> "Cache":
        return Cache(self._redis, self._name_key, sealer)

    async def get_or_compute(
        self,
        prefix: str,
        key: str,
        ttl_s: int,
        form: TypeAdapter[ValueT],
        compute: Callable[[], Awaitable[ValueT]],
    ) -> ValueT:
        """Return the cached value, else compute it and keep it for `ttl_s` seconds.

        `form` writes the value as JSON and reads it back. None is never taken from the cache.
        """
        name = self._name(prefix, key)
        found = await self._read(prefix, name, form)
        if found is not None:
            return found
        value = await compute()
        await self._write(name, form.dump_json(value), ttl_s)
        return value

    def _name(self, prefix: str, key: str) -> str:
        return f"{prefix}:{hmac.digest(self._name_key, key.encode(), hashlib.sha256).hex()[:32]}"

    async def _read(self, prefix: str, name: str, form: TypeAdapter[ValueT]) -> ValueT | None:
        started = time.perf_counter()
        try:
            stored = await self._redis.get(name)
        except (RedisError, OSError):
            stored = None
        metrics.cache_duration.labels("get").observe(time.perf_counter() - started)
        value = self._opened(str(stored), name, form) if stored is not None else None
        # Both are named, so that either begins at 0 and the rate of hits can be told.
        hits, misses = metrics.cache_hits.labels(prefix), metrics.cache_misses.labels(prefix)
        (misses if value is None else hits).inc()
        return value

    def _opened(self, stored: str, name: str, form: TypeAdapter[ValueT]) -> ValueT | None:
        """Return the value stored, or None where it cannot be believed: then it is computed."""
        try:
            return form.validate_json(
                self._sealer.open_text(stored, name) if self._sealer is not None else stored
            )
        except (SealBroken, ValidationError):
            return None

    async def _write(self, name: str, text: bytes, ttl_s: int) -> None:
        stored = self._sealer.seal_text(text, name) if self._sealer else text.decode()
        started = time.perf_counter()
        try:
            await self._redis.set(name, stored, ex=ttl_s)
        except (RedisError, OSError):
            return
        finally:
            metrics.cache_duration.labels("set").observe(time.perf_counter() - started)
