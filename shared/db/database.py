import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from shared.db.connecting import connect
from shared.db.statements import Connect, Statements
from shared.settings import ServiceSettings
from shared.tls import client_context

NO_TENANT = ""
# Opens a transaction for a tenant, or for what is done across tenants.
OpenFor = Callable[[UUID | None], AbstractAsyncContextManager[AsyncSession]]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who does something, and where from: what the journal writes beside each change."""

    tenant_id: UUID | None
    actor: str
    request_id: str = ""
    is_trial: bool = False  # What is done is rolled back at the end.


@dataclass(slots=True)
class Database:
    """The connections of one process to its service's schema.

    `transaction` gives an SQLAlchemy session inside one transaction with the tenant set; leaving
    it commits. `hot` lends a plain asyncpg connection whose tenant is set, for statements that
    are a transaction of their own. `connect` opens a connection beside these.
    """

    engine: AsyncEngine
    connect: Connect
    hot_size: int
    _idle: asyncio.LifoQueue["_HotConnection"] = field(default_factory=asyncio.LifoQueue)

    @classmethod
    def from_settings(cls, settings: ServiceSettings, *, hot_connections: int = 0) -> "Database":
        """Return a database that connects when first used, with so many hot connections at most."""
        dsn = settings.database_url.get_secret_value()
        options: dict[str, Any] = {
            "server_settings": {
                "statement_timeout": str(settings.statement_timeout_ms),
                "idle_in_transaction_session_timeout": "60000",
                "lock_timeout": "5000",
                "timezone": "UTC",
            },
            "timeout": 5,
        }
        files = settings.postgres_tls
        open_one = partial(connect, dsn, client_context(files) if files else None, **options)

        async def connect_watched() -> asyncpg.Connection:
            connection = await open_one()
            statements.watch_driver(connection)
            return connection

        statements = Statements(open_one, slow_from_s=settings.slow_statement_ms / 1000)
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect_watched,
            pool_size=settings.pg_pool_size,
            max_overflow=settings.pg_max_overflow,
            pool_recycle=settings.pg_pool_recycle,
            pool_timeout=5,
            pool_use_lifo=True,
            hide_parameters=True,  # An error must not carry them into a log.
            json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
            json_deserializer=orjson.loads,
        )
        statements.watch_engine(engine)
        database = cls(engine, open_one, hot_connections)
        for _ in range(hot_connections):
            database._idle.put_nowait(_HotConnection(connect_watched))
        return database

    @asynccontextmanager
    async def transaction(self, stamp: Stamp) -> AsyncIterator[AsyncSession]:
        """Open one transaction as `stamp.tenant_id`; commit when the block ends, else roll back.

        A trial is rolled back too, once all of it was said to the database.
        """
        opened = AsyncSession(self.engine, expire_on_commit=False, info={Stamp: stamp})
        async with opened as session, session.begin():
            await set_tenant(session, stamp.tenant_id)
            yield session
            if stamp.is_trial:
                await session.flush()
                await session.rollback()

    def opener(self, actor: str) -> OpenFor:
        """Return what opens transactions for an actor of no request."""
        return lambda tenant_id: self.transaction(Stamp(tenant_id, actor))

    @asynccontextmanager
    async def hot(self, tenant_id: UUID) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection whose session works for `tenant_id`.

        This is the one place that sets a tenant outside a transaction: only when it differs from
        the connection's last one, and before anything else runs. A connection that failed in any
        way is closed, never lent again.
        """
        holder = await self._idle.get()
        try:
            yield await holder.prepared(tenant_id)
        except BaseException:
            holder.discard()
            raise
        finally:
            self._idle.put_nowait(holder)

    async def ping(self) -> float:
        """Return the seconds a trivial statement takes; raises when the database is away."""
        started = time.perf_counter()
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return time.perf_counter() - started

    def active_connections(self) -> int:
        """Return how many connections are lent out right now."""
        pool = self.engine.pool
        return int(pool.checkedout()) + self.hot_size - self._idle.qsize()  # type: ignore[attr-defined]  # the async queue pool has it.

    async def close(self) -> None:
        await self.engine.dispose()
        while not self._idle.empty():
            await self._idle.get_nowait().close()


async def set_tenant(session: AsyncSession, tenant_id: UUID | None) -> None:
    """Let row-level security see this tenant for the rest of the transaction."""
    await session.execute(_SET_TENANT, {"tenant": str(tenant_id) if tenant_id else NO_TENANT})


async def get_database_time(session: AsyncSession) -> datetime:
    """Return the time by the database's clock, by which all that is recorded is dated."""
    found: datetime = await session.scalar(_TIME)
    return found


async def driver_connection(session: AsyncSession) -> asyncpg.Connection:
    """Return the asyncpg connection of a session, in the session's transaction."""
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection


class _HotConnection:
    __slots__ = ("_connect", "_connection", "_tenant")

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._tenant: UUID | None = None

    async def prepared(self, tenant_id: UUID) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            await self._connection.execute(PLAN_ONCE)
            self._tenant = None
        if self._tenant != tenant_id:
            await self._connection.execute(
                "SELECT set_config('app.tenant', $1, false)", str(tenant_id)
            )
            self._tenant = tenant_id
        return self._connection

    def discard(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


# Planning a hot statement takes longer than running it; on a database without statistics yet the
# server would otherwise do it each time.
PLAN_ONCE = "SET plan_cache_mode = force_generic_plan"
_TIME = text("SELECT clock_timestamp()")
_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
