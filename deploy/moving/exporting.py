"""An export: the services' schemas as pg_dump writes them, of one moment, in one sealed file."""

import asyncio
import subprocess
import time
from pathlib import Path

from deploy.backups import journaling
from deploy.backups.base import copy_output, read_heads
from deploy.backups.errors import BackupError
from deploy.backups.local import Place
from deploy.backups.outcome import Say
from deploy.backups.proving import of_database
from deploy.backups.repository import whole_file
from deploy.backups.rules import NAME_FORMAT
from deploy.backups.server import BackedServer, program
from deploy.local.children import die_with_parent
from deploy.moving.facts import Facts, digests_of
from deploy.postgres.bootstrap import SERVICES
from shared.clock import utc_now
from shared.contracts.auth.backups import BackupExported
from shared.db.connecting import connect
from shared.sealed_files.form import WAL_LEVEL, FileLabel, SealedReader, SealedWriter
from shared.sealed_files.keys import Keyring
from shared.version import VERSION


async def export(place: Place, path: Path, say: Say) -> None:
    """Write all data of the running system into a new file. Raises BackupError, OSError.

    Nothing waits for it. The file gets its name once it is whole, on the disk and read back.
    """
    place.require_running()
    if place.local is None:
        raise BackupError("An export is of the stack that runs here; start it with `make up`.")
    began = time.monotonic()
    dsn = of_database(place.local.superuser_dsn)
    heads = read_heads(place.settings.journal_folder)  # Before: all they cover is in the export.
    facts = await _facts(dsn, digests_of(place.local.secrets), heads)
    keyring = place.settings.keyring
    written = await asyncio.to_thread(_write, dsn, path, keyring, facts)
    entry = BackupExported(
        backup=facts.name,
        cluster=facts.cluster,
        size_bytes=written.size,
        sha256=written.sha256,
        duration_s=round(time.monotonic() - began, 3),
    )
    server = BackedServer(place.settings.database_url.get_secret_value())
    await journaling.record(server, entry)
    say(
        f"Exported {written.content_size / 1e6:,.1f} MB into {path}, {written.size / 1e6:,.1f} MB, "
        f"in {entry.duration_s:.1f} s. It opens with BACKUP_ENCRYPTION_KEY, and means something "
        "only with the other keys of this installation: take its secrets along."
    )


async def _facts(dsn: str, keys: dict[str, str], heads: dict[str, str]) -> Facts:
    connection = await connect(dsn, None)
    now = utc_now()
    try:
        row = await connection.fetchrow(_OF_SERVER)
        revisions = {
            service: await connection.fetchval(f"SELECT version_num FROM {service}.alembic_version")  # noqa: S608 - our own names.
            for service in SERVICES
        }
    finally:
        await connection.close()
    return Facts(
        name=now.strftime(NAME_FORMAT),
        cluster=str(row["cluster"]),
        release=VERSION,
        server_version=row["version"],
        made_at=now,
        revisions=revisions,
        keys=keys,
        heads=heads,
    )


def _write(dsn: str, path: Path, keyring: Keyring, facts: Facts) -> SealedWriter:
    server = BackedServer(dsn)
    schemas = [word for service in SERVICES for word in ("--schema", service)]
    command = [
        *(program("pg_dump"), "--dbname", server.own_address, "--no-password", *schemas),
        # As superuser: row-level security would leave out rows without a word.
        *("--format", "custom", "--compress", "none", "--no-publications", "--no-subscriptions"),
    ]
    if path.exists():
        raise BackupError(f"{path} is there already; name a file that is not.")
    label = FileLabel("export", facts.cluster, facts.name)
    with whole_file(path) as file:
        process = subprocess.Popen(  # noqa: S603 - our own program.
            command,
            env=dict(server.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, safe after fork.
        )
        writer = SealedWriter(file, keyring, label, made_at=facts.made_at, level=WAL_LEVEL)
        writer.write(facts.written())
        try:
            copy_output(process, writer, "pg_dump")
        finally:
            process.kill()
            process.wait()
        writer.close()
        file.flush()
        file.seek(0)
        SealedReader(file, keyring, label, where=str(path)).drain()
    return writer


_OF_SERVER = """
    SELECT (SELECT system_identifier FROM pg_control_system()) AS cluster,
           current_setting('server_version_num')::int AS version"""
