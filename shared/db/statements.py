"""What is seen of every statement: counted and timed, traced, and told of where it was slow.

Nothing that is seen here has values: they are sent beside the statements.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import metrics, tracing
from shared.log import log

TOLD_AGAIN_AFTER_S = 600.0  # Of one statement that is slow again and again.
_STATEMENT_MAX = 4000
_TOLD_MAX = 1000
_LABELLED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "/*")
Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Statements:
    """Sees the statements of one process; `connect` opens a connection to ask for plans."""

    def __init__(self, connect: Connect, *, slow_from_s: float) -> None:
        self._connect = connect
        self._slow_from_s = slow_from_s
        self._told_at: dict[str, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def watch_engine(self, engine: AsyncEngine) -> None:
        """See what SQLAlchemy sends. Many at once it leaves to the driver, where they are seen."""

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def start(_c: Any, _cur: Any, _s: str, _p: Any, context: Any, _m: bool) -> None:  # noqa: ANN401, FBT001 - SQLAlchemy's signature.
            context.started_s = time.perf_counter()

        @event.listens_for(engine.sync_engine, "after_cursor_execute")
        def stop(_c: Any, _cur: Any, statement: str, _p: Any, context: Any, many: bool) -> None:  # noqa: ANN401, FBT001 - same.
            if not many:
                self._ended(statement, time.perf_counter() - context.started_s)

        @event.listens_for(engine.sync_engine, "handle_error")
        def fail(context: Any) -> None:  # noqa: ANN401 - same.
            started_s = getattr(context.execution_context, "started_s", time.perf_counter())
            if not getattr(context.execution_context, "executemany", False):
                elapsed_s = time.perf_counter() - started_s
                self._ended(context.statement or "", elapsed_s, failed=True)

    def watch_driver(self, connection: asyncpg.Connection) -> None:
        """See what is sent over this connection without SQLAlchemy."""
        connection.add_query_logger(self._logged)

    def _logged(self, query: asyncpg.connection.LoggedQuery) -> None:
        if query.query.lstrip().startswith(_LABELLED):
            self._ended(query.query, query.elapsed, failed=query.exception is not None)

    def _ended(self, statement: str, elapsed_s: float, *, failed: bool = False) -> None:
        verb, table = metrics.labels_of(statement)
        metrics.observe_statement(verb, table, elapsed_s, failed=failed)
        if tracing.is_on():
            tracing.record_statement(statement, verb, table, elapsed_s, failed=failed)
        if elapsed_s >= self._slow_from_s:
            self._tell(statement, verb, table, elapsed_s)

    def _tell(self, statement: str, verb: str, table: str, elapsed_s: float) -> None:
        """Log a slow statement, the first time in ten minutes with how it is planned."""
        now = time.monotonic()
        seen = {"operation": verb, "table": table, "duration_s": round(elapsed_s, 3)}
        if now - self._told_at.get(statement, -TOLD_AGAIN_AFTER_S) < TOLD_AGAIN_AFTER_S:
            log.warning("slow statement", **seen)
            return
        if len(self._told_at) >= _TOLD_MAX:
            self._told_at.clear()
        self._told_at[statement] = now
        asking = asyncio.get_running_loop().create_task(self._tell_plan(statement, seen))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _tell_plan(self, statement: str, seen: dict[str, Any]) -> None:
        """Log it with the plan for any values; in the context of whoever sent it."""
        try:
            connection = await self._connect()
            try:
                plan = await _plan_of(connection, statement)
            finally:
                await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            plan = [f"not known: {type(error).__name__}"]
        log.warning("slow statement", **seen, statement=statement[:_STATEMENT_MAX], plan=plan)


async def _plan_of(connection: asyncpg.Connection, statement: str) -> list[str]:
    """Return how a statement is planned whatever its values are."""
    count = len((await connection.prepare(statement)).get_parameters())
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE told AS {statement}")
    return [row[0] for row in await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE told{values}")]
