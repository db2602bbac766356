"""Entries of backups in auth's journal, where one is reachable."""

from datetime import datetime

import asyncpg

from deploy.backups.base import Made
from deploy.backups.errors import BackupError
from deploy.backups.outcome import RestoreOutcome
from deploy.backups.rules import NAME_FORMAT
from deploy.backups.server import BackedServer
from shared.clock import utc_now
from shared.contracts.auth.backups import (
    AboutBackup,
    BackupDrilled,
    BackupFailed,
    BackupMade,
    BackupRestored,
)
from shared.ids import new_id
from shared.log import log


def made(done: Made) -> BackupMade:
    manifest = done.manifest
    return BackupMade(
        backup=manifest.name,
        cluster=manifest.cluster,
        ended_at=manifest.ended_at,
        size_bytes=manifest.size,
        sha256=manifest.sha256,
        duration_s=round(done.duration_s, 3),
    )


def failed(cluster: str, began_at: datetime, error: Exception) -> BackupFailed:
    """Return the entry of a try that failed; what is not ours to word is told by its kind alone."""
    is_ours = isinstance(error, BackupError)
    return BackupFailed(
        backup=began_at.strftime(NAME_FORMAT),
        cluster=cluster,
        error=str(error) if is_ours else type(error).__name__,
        duration_s=round((utc_now() - began_at).total_seconds(), 3),
    )


def restored(outcome: RestoreOutcome) -> BackupRestored:
    return BackupRestored(
        backup=outcome.backup,
        cluster=outcome.cluster,
        asked_for=outcome.asked_for,
        reached_lsn=outcome.reached_lsn,
        last_commit=outcome.last_commit,
        duration_s=outcome.duration_s,
    )


def drilled(outcome: RestoreOutcome) -> BackupDrilled:
    return BackupDrilled(
        backup=outcome.backup,
        cluster=outcome.cluster,
        ok=outcome.ok,
        error=outcome.error,
        last_commit=outcome.last_commit,
        duration_s=outcome.duration_s,
    )


async def record(server: BackedServer, entry: AboutBackup) -> bool:
    """Write an entry; say whether that could be done, which is no reason for a backup to fail."""
    try:
        async with server.connected(None) as connection:
            await connection.execute(
                "SELECT auth.record_backup($1, $2, $3, $4::text::json)",
                new_id(),
                entry.name,
                entry.subject,
                entry.model_dump_json(),
            )
    except (BackupError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("not noted in the journal", entry=entry.name, reason=str(error))
        return False
    return True
