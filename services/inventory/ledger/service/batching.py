"""Group commit: what arrives together is written together, each with its own outcome.

A transaction costs about as much as ten of the movements it can carry. So a tenant has one under
way at a time, and what arrives meanwhile goes in the next; one busy item then costs one lock and
one commit for many movements. A movement that comes alone waits for nothing: only after a group
that carried several, as many as these are given a moment to come back. Reservations have groups
of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar
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
# What one of a group may have met alone; a fault of ours, too, and always before the commit.
_ITS_OWN = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
Result = Outcome | KeptAnswer


class Keyed(Protocol):
    """What is asked by somebody, perhaps under an Idempotency-Key."""

    @property
    def actor(self) -> str: ...

    @property
    def key(self) -> str | None: ...


Asked = TypeVar("Asked", bound=Keyed)
Answer = TypeVar("Answer")
ApplyGroup = Callable[[UUID, Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]]


class _Waiting(NamedTuple, Generic[Asked, Answer]):
    asked: Asked
    answer: asyncio.Future[Answer]
    span: SpanContext | None


@dataclass(slots=True)
class _Queue(Generic[Asked, Answer]):
    """What one tenant asked and is not under way yet, in arrival order."""

    tenant_id: UUID
    waiting: list[_Waiting[Asked, Answer]] = field(default_factory=list)
    under_way: bool = False
    expected: int = 1  # How many to gather before the next group starts.
    patience: asyncio.TimerHandle | None = None

    def take_group(self, size_of: Callable[[Asked], int]) -> list[_Waiting[Asked, Answer]]:
        size, taken = 0, 0
        for one in self.waiting:
            size += size_of(one.asked)
            if taken and size > BATCH_MAX:
                break
            taken += 1
        group, self.waiting = self.waiting[:taken], self.waiting[taken:]
        return group

    def stop_gathering(self) -> None:
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None


class Batcher(Generic[Asked, Answer]):
    """Takes what is asked one at a time and applies it in groups, per tenant, in arrival order.

    `note` is told of each answer and says whether it changed something; `wake` is called once a
    group that did is committed. A group is of BATCH_MAX by `size_of`, or of one that is larger.
    """

    def __init__(
        self,
        apply_group: ApplyGroup[Asked, Answer],
        note: Callable[[Asked, Answer], bool],
        wake: Callable[[], None],
        *,
        size_of: Callable[[Asked], int] = lambda _: 1,
        span: str = "record movements",
    ) -> None:
        self._apply_group = apply_group
        self._note = note
        self._wake = wake
        self._size_of = size_of
        self._span = span
        self._queues: dict[UUID, _Queue[Asked, Answer]] = {}
        self._keys: set[tuple[UUID, str, str | None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, tenant_id: UUID, asked: Asked) -> Answer:
        """Return what became of it, once that is committed.

        Raises IdempotencyInProgress when its key is being answered here right now.
        """
        if asked.key is not None:
            key = (tenant_id, asked.actor, asked.key)
            if key in self._keys:
                raise IdempotencyInProgress
            self._keys.add(key)
        queue = self._queues.get(tenant_id)
        if queue is None:
            queue = self._queues[tenant_id] = _Queue(tenant_id)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        queue.waiting.append(_Waiting(asked, answer, tracing.here()))
        if not queue.under_way and len(queue.waiting) >= queue.expected:
            self._start(queue)
        # Shielded: a caller who goes away does not take the others of his group with him.
        return await asyncio.shield(answer)

    async def drain(self) -> None:
        """Return when nothing waits or is under way any more."""
        while self._queues:
            for queue in list(self._queues.values()):
                if queue.patience is not None:
                    self._lose_patience(queue)
            if self._tasks:
                await asyncio.wait(self._tasks)

    def _start(self, queue: _Queue[Asked, Answer]) -> None:
        queue.stop_gathering()
        queue.under_way = True
        task = asyncio.create_task(self._apply(queue, queue.take_group(self._size_of)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _apply(
        self, queue: _Queue[Asked, Answer], group: list[_Waiting[Asked, Answer]]
    ) -> None:
        traced = [one.span for one in group if one.span is not None]
        answers: Sequence[Answer | Exception]
        try:
            with tracing.joining(self._span, traced):
                answers = await self._apply_group(queue.tenant_id, [one.asked for one in group])
        except Exception as error:  # noqa: BLE001 - every caller of the group must be answered.
            answers = [error] * len(group)
        has_changed = False
        for (asked, future, _), answer in zip(group, answers, strict=True):
            self._keys.discard((queue.tenant_id, asked.actor, asked.key))
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                has_changed |= self._note(asked, answer)
                future.set_result(answer)
        if has_changed:
            self._wake()
        self._go_on(queue, len(group))

    def _go_on(self, queue: _Queue[Asked, Answer], size: int) -> None:
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

    def _lose_patience(self, queue: _Queue[Asked, Answer]) -> None:
        queue.stop_gathering()
        if queue.waiting:
            self._start(queue)
        else:
            del self._queues[queue.tenant_id]


async def apply_group(
    database: Database, tenant_id: UUID, changes: Sequence[Change]
) -> Sequence[Result | Exception]:
    """Apply one tenant's movements in a transaction of their own, each with its own outcome."""
    return await in_group(database, tenant_id, changes, apply_changes)


def note_movement(change: Change, result: Result) -> bool:
    """Count what became of a movement, and say whether it moved something."""
    if not isinstance(result, Outcome):
        return False
    count_movements(change.kind, result.refusal)
    count_stockouts(result)
    return result.refusal is None


async def in_group(
    database: Database,
    tenant_id: UUID,
    group: Sequence[Asked],
    apply: Callable[[asyncpg.Connection, Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]],
) -> Sequence[Answer | Exception]:
    """Return what `apply` answers in a transaction of its own; after a clash, in another.

    What the database refuses to hold, or what we cannot work out, is the trouble of one of the
    group: then each goes alone.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with database.hot(tenant_id) as connection, connection.transaction():
                return await apply(connection, group)
        except _TRY_AGAIN:
            if attempt == ATTEMPTS:
                raise
        except _ITS_OWN as error:
            if len(group) == 1:
                return [error]
            alone = [await in_group(database, tenant_id, [one], apply) for one in group]
            return [answer for answers in alone for answer in answers]
    raise AssertionError  # pragma: no cover - the loop returns or raises.
