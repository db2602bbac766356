"""The durable queue: PgQueuer's tables in this service's schema, used in our own transactions."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import orjson
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel, JobId
from sqlalchemy.ext.asyncio import AsyncSession

from shared import tracing
from shared.db import Stamp, driver_connection

TRAIN = "train"  # The entry point of training one item.
CHANNEL = Channel("forecasting_queue")  # Channels are of the whole database.
TABLES = DBSettings(db_schema="forecasting", channel=CHANNEL)


async def enqueue(
    session: AsyncSession, entrypoint: str, payloads: Sequence[dict[str, str]]
) -> list[int]:
    """Queue one entry for each payload in the session's transaction; return their ids in order."""
    queries = queries_on(await driver_connection(session))
    packed: list[bytes | None] = [orjson.dumps(payload) for payload in payloads]
    size = len(packed)
    return [int(i) for i in await queries.enqueue([entrypoint] * size, packed, [0] * size)]


def payload(stamp: Stamp, row_id: UUID) -> dict[str, str]:
    """Return what an entry carries: whose work it is, and which row says what to do."""
    return {
        "tenant": str(stamp.tenant_id),
        "actor": stamp.actor,
        "request_id": stamp.request_id,
        "traceparent": tracing.traceparent_here(),
        "row": str(row_id),
    }


def read_payload(packed: bytes) -> tuple[Stamp, UUID, str]:
    """Return what `payload` put into an entry: whose, the row, and the trace it is part of."""
    read = orjson.loads(packed)
    stamp = Stamp(UUID(read["tenant"]), read["actor"], read["request_id"])
    return stamp, UUID(read["row"]), read.get("traceparent", "")  # None of earlier releases.


async def drop(session: AsyncSession, queue_ids: Sequence[int]) -> None:
    """Take entries out of the queue in the session's transaction, started or not."""
    queries = queries_on(await driver_connection(session))
    await queries.mark_job_as_cancelled([JobId(queue_id) for queue_id in queue_ids])


def manager_on(connection: asyncpg.Connection) -> QueueManager:
    """Return a manager that takes entries from the queue over this connection."""
    return QueueManager(queries=queries_on(connection), channel=CHANNEL)


def queries_on(connection: asyncpg.Connection) -> Queries:
    return Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(TABLES),
        qbq=_OwnLocks(TABLES),
    )


class _OwnLocks(QueryQueueBuilder):
    """PgQueuer's statements; the one that locks takes a lock of this service's own."""

    def build_aggregate_log_data_to_statistics_query(self, advisory_lock: bool = False) -> str:  # noqa: FBT001, FBT002 - its signature.
        statement = super().build_aggregate_log_data_to_statistics_query(advisory_lock)
        return statement.replace("pg_try_advisory_xact_lock(hashtext(", "try_lock((")
