"""Group commit: movements that arrive together are written together, each with its own outcome.

A transaction costs about as much as ten of the movements it can carry. So a tenant has one under
way at a time, and what arrives meanwhile goes in the next; one busy item then costs one lock and
one commit for many movements. A movement that comes alone waits for nothing: only after a group
that carried several, as many as these are given a moment to come back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from opentelemetry.trace import SpanContext

from services.inventory.ledger.metrics import count_movements, count_stockouts
from services.inventory.ledger.queries import KeptAnswer
from services.inventory.ledger.rules import Change, Outcome
from services.inventory.ledger.service.recording import apply_changes
from shared import tracing
from shared.db import Database
from shared.errors import IdempotencyInProgress

BATCH_MAX = 100
GATHER_S = 0.005
ATTEMPTS = 4
_TRY_AGAIN = (
    asyncpg.UniqueViolationError,  # Another process kept the same key meanwhile.
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_ITS_OWN = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
Result = Outcome | KeptAnswer
_Waiting = tuple[Change, "asyncio.Future[Result]", SpanContext | None]
ApplyGroup = Callable[[UUID, Sequence[Change]], Awaitable[Sequence[Result | Exception]]]


@dataclass(slots=True)
class _Queue:
    """One tenant's movements that are not under way yet, in arrival order."""

    tenant_id: UUID
    waiting: list[_Waiting] = field(default_factory=list)
    under_way: bool = False
    expected: int = 1  # How many to gather before the next group starts.
    patience: asyncio.TimerHandle | None = None

    def take_group(self) -> list[_Waiting]:
        group, self.waiting = self.waiting[:BATCH_MAX], self.waiting[BATCH_MAX:]
        return group

    def stop_gathering(self) -> None:
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None


class Batcher:
    """Takes movements one at a time and applies them in groups, per tenant, in arrival order.

    `wake` is called once a group that moved something is committed.
    """

    def __init__(self, apply_group: ApplyGroup, wake: Callable[[], None]) -> None:
        self._apply_group = apply_group
        self._wake = wake
        self._queues: dict[UUID, _Queue] = {}
        self._keys: set[tuple[UUID, str, str | None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, tenant_id: UUID, change: Change) -> Result:
        """Return what became of the change, once that is committed.

        Raises IdempotencyInProgress when its key is being answered here right now.
        """
        if change.key is not None:
            key = (tenant_id, change.actor, change.key)
            if key in self._keys:
                raise IdempotencyInProgress
            self._keys.add(key)
        queue = self._queues.get(tenant_id)
        if queue is None:
            queue = self._queues[tenant_id] = _Queue(tenant_id)
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        queue.waiting.append((change, outcome, tracing.here()))
        if not queue.under_way and len(queue.waiting) >= queue.expected:
            self._start(queue)
        # Shielded: a caller who goes away does not take the others of his group with him.
        return await asyncio.shield(outcome)

    async def drain(self) -> None:
        """Return when nothing waits or is under way any more."""
        while self._queues:
            for queue in list(self._queues.values()):
                if queue.patience is not None:
                    self._lose_patience(queue)
            if self._tasks:
                await asyncio.wait(self._tasks)

    def _start(self, queue: _Queue) -> None:
        queue.stop_gathering()
        queue.under_way = True
        task = asyncio.create_task(self._apply(queue, queue.take_group()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _apply(self, queue: _Queue, group: list[_Waiting]) -> None:
        traced = [span for _, _, span in group if span is not None]
        try:
            with tracing.joining("record movements", traced):
                outcomes = await self._apply_group(queue.tenant_id, [one[0] for one in group])
        except Exception as error:  # noqa: BLE001 - every caller of the group must be answered.
            outcomes = [error] * len(group)
        for (change, future, _), outcome in zip(group, outcomes, strict=True):
            self._keys.discard((queue.tenant_id, change.actor, change.key))
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                if isinstance(outcome, Outcome):
                    count_movements(change.kind, outcome.refusal)
                    count_stockouts(outcome)
                future.set_result(outcome)
        if any(isinstance(one, Outcome) and one.refusal is None for one in outcomes):
            self._wake()
        self._go_on(queue, len(group))

    def _go_on(self, queue: _Queue, size: int) -> None:
        queue.under_way = False
        queue.expected = size
        if len(queue.waiting) >= size:
            self._start(queue)
        elif size > 1:
            queue.patience = asyncio.get_running_loop().call_later(
                GATHER_S, self._lose_patience, queue
            )
        else:
            del self._queues[queue.tenant_id]

    def _lose_patience(self, queue: _Queue) -> None:
        queue.stop_gathering()
        if queue.waiting:
            self._start(queue)
        else:
            del self._queues[queue.tenant_id]


async def apply_group(
    database: Database, tenant_id: UUID, changes: Sequence[Change]
) -> Sequence[Result | Exception]:
    """Apply one tenant's movements in a transaction of their own; after a clash, again.

    What the database refuses to hold is one movement's own trouble: then each goes alone.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with database.hot(tenant_id) as connection, connection.transaction():
                return await apply_changes(connection, changes)
        except _TRY_AGAIN:
            if attempt == ATTEMPTS:
                raise
        except _ITS_OWN as error:
            if len(changes) == 1:
                return [error]
            alone = [await apply_group(database, tenant_id, [change]) for change in changes]
            return [outcome for outcomes in alone for outcome in outcomes]
    raise AssertionError  # pragma: no cover - the loop returns or raises.
