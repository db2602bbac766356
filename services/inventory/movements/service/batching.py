"""Group commit: movements that arrive together are written together, each with its own outcome.

While one statement is under way, later movements wait; when it ends, all that wait go in the
next. One busy item then costs one lock and one commit for many movements, and spread ones share
their round trip. Nothing waits when nothing is under way.
"""

import asyncio
from collections import OrderedDict
from uuid import UUID

import asyncpg

from services.inventory.movements.queries import Line, Outcome, apply
from shared.clock import utc_now
from shared.db import Database
from shared.web.idempotency import IdempotencyInProgress

BATCH_MAX = 100
UNDER_WAY_MAX = 2  # Statements at once: one at the disk while the next is computed.
ATTEMPTS = 4
_TRY_AGAIN = (
    asyncpg.UniqueViolationError,  # Another process kept the same key meanwhile.
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_Waiting = tuple[Line, "asyncio.Future[Outcome]"]


class Batcher:
    """Takes movements one at a time and applies them in groups, per tenant, in arrival order."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: OrderedDict[UUID, list[_Waiting]] = OrderedDict()
        self._keys: set[tuple[UUID, str, str | None]] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    async def submit(self, tenant_id: UUID, line: Line) -> Outcome:
        """Return what became of the line, once that is committed.

        Raises IdempotencyInProgress when its key is being answered here right now.
        """
        if line.key is not None:
            key = (tenant_id, line.actor, line.key)
            if key in self._keys:
                raise IdempotencyInProgress
            self._keys.add(key)
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, []).append((line, outcome))
        self._start_next()
        # Shielded: a caller who goes away does not take the others of his group with him.
        return await asyncio.shield(outcome)

    async def drain(self) -> None:
        """Return when nothing is under way any more."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _start_next(self) -> None:
        while self._waiting and len(self._under_way) < UNDER_WAY_MAX:
            tenant_id, group = self._take_group()
            task = asyncio.create_task(self._apply(tenant_id, group))
            self._under_way.add(task)
            task.add_done_callback(self._finish)

    def _take_group(self) -> tuple[UUID, list[_Waiting]]:
        """Take the next group: tenants in turn; a count goes alone, it is judged under lock."""
        tenant_id, waiting = self._waiting.popitem(last=False)
        size = next(
            (at for at, (line, _) in enumerate(waiting) if line.counted is not None), len(waiting)
        )
        size = min(max(size, 1), BATCH_MAX)
        if waiting[size:]:
            self._waiting[tenant_id] = waiting[size:]
        return tenant_id, waiting[:size]

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start_next()

    async def _apply(self, tenant_id: UUID, group: list[_Waiting]) -> None:
        try:
            outcomes = await self._apply_with_retries(tenant_id, [line for line, _ in group])
        except Exception as error:  # noqa: BLE001 - every caller of the group must be answered.
            for line, future in group:
                self._keys.discard((tenant_id, line.actor, line.key))
                future.set_exception(error)
            return
        for (line, future), outcome in zip(group, outcomes, strict=True):
            self._keys.discard((tenant_id, line.actor, line.key))
            future.set_result(outcome)

    async def _apply_with_retries(self, tenant_id: UUID, lines: list[Line]) -> list[Outcome]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._database.hot(tenant_id) as connection:
                    return await apply(connection, lines, utc_now(), with_cost=True)
            except _TRY_AGAIN:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError  # pragma: no cover - the loop returns or raises.
