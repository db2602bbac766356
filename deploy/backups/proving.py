"""Is what was restored whole? PostgreSQL's own check, then ledger and journals as `verify` does."""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg

from deploy.backups.errors import NothingProved
from deploy.backups.reach import Reach
from deploy.backups.rules import is_reached, read_lsn
from deploy.backups.server import program
from deploy.local.launch import Program
from deploy.local.processes import Plan, migrations, processes
from deploy.local.secrets import password_name
from deploy.local.settings import ROOT
from deploy.postgres.bootstrap import DATABASE, ROLES, SERVICES, bootstrap
from shared.db.revisions import head_revision

AT_ONCE = 2
# Nobody waits for an answer here, and a check that is cut short would refuse a good backup.
STATEMENT_TIMEOUT_MS = 24 * 3600 * 1000
_NO_REDIS = "unix:///nowhere/restored.sock"  # What is proved has no caches.
_VERIFY: Mapping[str, str] = dict.fromkeys(SERVICES, "verify") | {
    "inventory": "verify-stock"  # The journal too.
}


@dataclass(frozen=True)
class Reached:
    """Where a recovery ended."""

    lsn: str
    last_commit: str | None  # When what was replayed last was committed, by the server's clock.


async def require_reached(dsn: str, reach: Reach, *, is_whole: bool) -> Reached:
    """Return where the recovery ended. Raises NothingProved if that is before all that was kept."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(_REACHED)
    finally:
        await connection.close()
    if row["is_recovering"] or row["lsn"] is None:
        raise NothingProved("The recovery has not ended; look at the server's log.")
    if is_whole and not is_reached(read_lsn(row["lsn"]), read_lsn(reach.last_lsn)):
        raise NothingProved(
            f"The recovery ended at {row['lsn']}, and the log goes to {reach.last_lsn}: something "
            "in it does not follow. Nothing in use was touched; fetch the log again."
        )
    last = row["last_commit"]
    return Reached(row["lsn"], last.isoformat() if last else None)


class Prover:
    """Runs the services' own checks on a restored database."""

    def __init__(self, plan: Plan, dsn: str) -> None:
        self._plan = replace(plan, superuser_dsn=dsn, redis_url=_NO_REDIS)
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def prepare(self) -> None:
        """Bring roles and schemas to where the next start brings them."""
        passwords = {role: self._plan.secrets[password_name(role)] for role in ROLES}
        await bootstrap(self._plan.superuser_dsn, passwords)
        pending = await _list_pending(self._plan.superuser_dsn)
        rows = [row for row in migrations(self._plan) if row.command[2] in pending]
        await asyncio.gather(*(self._run(row, row.name, "migrate") for row in rows))

    async def verify(self, heads: Mapping[str, str]) -> dict[str, str]:
        """Verify ledger and journals, and that these hold the heads that were kept outside.

        Return what each said. Raises NothingProved.
        """
        with tempfile.TemporaryDirectory() as folder:
            for service, note in heads.items():
                (Path(folder) / f"{service}.checkpoint").write_text(note)
            work = (
                self.command(service, verb, journal_folder=folder)
                for service, verb in _VERIFY.items()
            )
            said = dict(await asyncio.gather(*work))
        kept = ", ".join(sorted(heads.keys() & set(SERVICES))) or "none"
        return said | {"heads": f"Kept with the backup and held by the journals: {kept}."}

    async def list_behind(self, outside: Path | None, heads: Mapping[str, str]) -> list[str]:
        """Return the services whose kept checkpoints are of later than this database.

        `heads` are those that it is known to hold. Raises NothingProved where one is of another
        past.
        """
        behind: list[str] = []
        if outside is None:
            return behind
        for service in SERVICES:
            path = outside / f"{service}.checkpoint"
            if not await asyncio.to_thread(path.exists) or path.read_text() == heads.get(service):
                continue
            try:
                await self.command(service, "checkpoint", "check", str(path))
            except NothingProved as error:
                if "was cut off" not in str(error):
                    raise
                behind.append(service)
        return behind

    async def command(
        self, service: str, *words: str, journal_folder: str | None = None
    ) -> tuple[str, str]:
        """Run `python -m services.<service> <words>` on it. Raises NothingProved."""
        [worker] = [
            row.program for row in processes(self._plan) if row.program.name == f"{service}-worker"
        ]
        environment = {n: v for n, v in worker.environment.items() if n != "JOURNAL_FOLDER"}
        environment["STATEMENT_TIMEOUT_MS"] = str(STATEMENT_TIMEOUT_MS)
        if journal_folder is not None:
            environment["JOURNAL_FOLDER"] = journal_folder
        name = " ".join((service, *(word for word in words[:2] if "/" not in word)))
        return name, await self._run(replace(worker, environment=environment), name, *words)

    async def _run(self, program: Program, name: str, *words: str) -> str:
        async with self._at_once:
            return await _said(
                name, (*program.command[:3], *words), program.environment, program.folder
            )


async def _list_pending(dsn: str) -> list[str]:
    """Return the packages of the services whose schemas are not where their code is."""
    pending = []
    connection = await asyncpg.connect(of_database(dsn))
    try:
        for service in SERVICES:
            found = await connection.fetchval(f"SELECT version_num FROM {service}.alembic_version")  # noqa: S608 - our own names.
            if found != head_revision(ROOT / "services" / service / "migrations"):
                pending.append(f"services.{service}")
    finally:
        await connection.close()
    return pending


async def check_pages(dsn: str) -> str:
    """Have PostgreSQL check each table and index against the other. Raises NothingProved."""
    command = (
        *(program("pg_amcheck"), "--no-password", "--maintenance-db", "postgres"),
        *("--database", DATABASE, "--install-missing=pg_catalog", "--heapallindexed"),
    )
    environment = {**os.environ, "LC_ALL": "C", **_libpq(dsn)}
    await _said("amcheck", command, environment, Path("/"))
    connection = await asyncpg.connect(of_database(dsn))
    try:
        await connection.execute("DROP EXTENSION amcheck")
    finally:
        await connection.close()
    return "Every table and index is whole."


def of_database(dsn: str) -> str:
    """Return the superuser's DSN of the database that holds the services' schemas."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{DATABASE}"))


async def _said(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> str:
    """Return the last line that a program said. Raises NothingProved if it failed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environment),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    lines = output.decode(errors="replace").strip().splitlines()
    told = [line for line in lines if not line.startswith(("(Background on", "[SQL", "[param"))]
    last = told[-1] if told else ""
    if process.returncode != 0:
        raise NothingProved(f"{name}: {last or process.returncode}")
    return last


def _libpq(dsn: str) -> dict[str, str]:
    parts = urlsplit(dsn)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    return {"PGHOST": host, "PGUSER": parts.username or "postgres"}


_REACHED = """
    SELECT pg_is_in_recovery() AS is_recovering, pg_last_wal_replay_lsn()::text AS lsn,
        pg_last_xact_replay_timestamp() AS last_commit"""
