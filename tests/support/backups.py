"""A small cluster that is backed up: what was written when, and what lies in its repository."""

import asyncio
import contextlib
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg

from deploy.backups.base import Made, make_base
from deploy.backups.outcome import RestoreOutcome
from deploy.backups.repository import Repository
from deploy.backups.restore import RestorePlan, new_outcome, plan_restore, restore_into
from deploy.backups.server import BackedServer, Cluster
from deploy.backups.wal import WalKeeper
from deploy.local.stack import embedded_postgres
from deploy.postgres.bootstrap import ROLES, bootstrap
from shared.sealed_files.keys import Keyring
from tests.support.database import FAST

KEY = "ab" * 32
RING = Keyring(KEY)


@dataclass
class BackedUp:
    """A running cluster with its backups."""

    folder: Path
    superuser_dsn: str
    server: BackedServer
    identity: Cluster
    keeper: WalKeeper
    written: list[datetime] = field(default_factory=list)  # When each row was committed.

    @property
    def repository(self) -> Repository:
        return Repository(self.folder / "backups" / self.identity.cluster)

    @property
    def spool(self) -> Path:
        return self.folder / "spool" / self.identity.cluster

    async def back_up(self) -> Made:
        return await make_base(
            self.server, self.repository, RING, self.identity, journal_folder=None
        )

    async def write(self, rows: int = 1) -> datetime:
        """Write rows, each in a transaction of its own; return when all were committed for sure.

        So is each of those that are kept: the next row is written after it.
        """
        async with self.superuser() as connection:
            for _ in range(rows):
                number = len(self.written)
                await connection.execute("INSERT INTO probe VALUES ($1)", number)
                self.written.append(await connection.fetchval("SELECT clock_timestamp()"))
        return self.written[-1]

    async def switch(self) -> None:
        """Have the server begin another file of its log."""
        async with self.superuser() as connection:
            await connection.execute("SELECT pg_switch_wal()")

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def backed_up(folder: Path) -> AsyncIterator[BackedUp]:
    """Run a cluster whose log is received; at its end the database is gone."""
    passwords = {role: secrets.token_hex(16) for role in ROLES}
    with embedded_postgres(folder / "pg", FAST | {"max_wal_size": "64MB"}) as maintenance:
        await bootstrap(maintenance, passwords)
        dsn = maintenance.replace("/postgres?", "/stock?")
        server = BackedServer(
            dsn.replace("postgres@", f"stock_backup:{passwords['stock_backup']}@")
        )
        identity = await server.identify()
        repository = Repository.of(folder / "backups", identity.cluster)
        keeper = WalKeeper(server, repository, RING, identity, folder / "spool")
        await keeper.prepare()
        receiving = asyncio.create_task(keeper.receive())
        found = BackedUp(folder, dsn, server, identity, keeper)
        async with found.superuser() as connection:
            await connection.execute("CREATE TABLE probe (number int PRIMARY KEY)")
        try:
            yield found
        finally:
            receiving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await receiving
    shutil.rmtree(folder / "pg")


async def restored(
    repository: Repository, target: Path, at: datetime | None = None, spool: Path | None = None
) -> RestoreOutcome:
    """Restore into a new folder, as `make restore` does before it renames."""
    plan = plan_restore(repository, RING, at, spool=spool)
    return await restored_by(plan, target)


async def restored_by(plan: RestorePlan, target: Path) -> RestoreOutcome:
    outcome = new_outcome("drill", plan)
    await restore_into(plan, RING, target, None, outcome, lambda _text: None)
    return outcome


async def rows_in(target: Path) -> list[int]:
    """Start a restored cluster and return what was written there."""
    with embedded_postgres(target, FAST) as dsn:
        connection = await asyncpg.connect(dsn.replace("/postgres?", "/stock?"))
        rows = await connection.fetch("SELECT number FROM probe ORDER BY number")
        await connection.close()
    return [row["number"] for row in rows]
