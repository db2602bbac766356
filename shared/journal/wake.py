"""Wake-up calls over Redis, so that followers need not wait for their next poll.

Only a hint: with Redis away nothing is lost, followers poll.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.ending import is_ending

CHANNEL_PREFIX = "journal:"
PUBLISH_INTERVAL_S = 0.02
RECONNECT_DELAY_S = 1.0


class Waker:
    """Both ends of the wake-up: `wake` tells followers, `wait` is told."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pending: set[str] = set()
        self._publishing: asyncio.Task[None] | None = None
        self._called: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, service: str) -> None:
        """Tell followers of `service` that its journal grew; returns at once, never fails."""
        self._pending.add(service)
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.get_running_loop().create_task(self._publish())

    async def wait(self, service: str, timeout_s: float) -> None:
        """Return when `service`'s journal grew, or after `timeout_s`."""
        called = self._called[service]
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await called.wait()
        called.clear()

    async def listen(self, services: set[str]) -> None:
        """Receive wake-up calls for these services for ever, connecting again as needed."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(*(CHANNEL_PREFIX + service for service in services))
                    async for message in pubsub.listen():
                        self._called[message["channel"].removeprefix(CHANNEL_PREFIX)].set()
            except (RedisError, OSError):
                if is_ending():
                    raise
                await asyncio.sleep(RECONNECT_DELAY_S)

    async def _publish(self) -> None:
        """Publish once for all that woke within a short moment: a busy journal is one call."""
        while self._pending:
            await asyncio.sleep(PUBLISH_INTERVAL_S)
            services, self._pending = self._pending, set()
            with suppress(RedisError, OSError):
                for service in services:
                    await self._redis.publish(CHANNEL_PREFIX + service, "")
