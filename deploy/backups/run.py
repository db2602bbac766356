"""One run: a base backup, what no rule keeps any longer removed, the remote brought up to date."""

import asyncio
from collections.abc import Callable

from deploy.backups import journaling, metrics
from deploy.backups.base import Made, make_base
from deploy.backups.erasures import list_known, note_erasures
from deploy.backups.remote import Remote
from deploy.backups.repository import Repository
from deploy.backups.retention import forget_old, remove_unfinished
from deploy.backups.server import BackedServer, Cluster
from deploy.backups.settings import Settings
from shared.clock import utc_now
from shared.log import log


def remote_of(settings: Settings, cluster: str) -> Remote | None:
    """Return the copy elsewhere, if one is asked for. Raises BackupError."""
    if settings.backup_remote is None or not settings.backup_remote.get_secret_value():
        return None
    url = settings.backup_remote.get_secret_value()
    return Remote(url, cluster, settings.remote_options)


async def run_backup(
    settings: Settings, server: BackedServer, identity: Cluster, say: Callable[[str], None]
) -> Made:
    """Make a backup, alone, and report it as metrics and in the journal.

    Raises BackupError, OSError: then all backups that were there are there still.
    """
    repository = Repository.of(settings.backup_dir, identity.cluster)
    keyring = settings.keyring
    began_at = utc_now()
    try:
        async with server.only_run():
            remove_unfinished(repository)
            known = await asyncio.to_thread(list_known, repository, keyring)
            made = await make_base(
                server,
                repository,
                keyring,
                identity,
                journal_folder=settings.journal_folder,
                erasures=await note_erasures(server, repository, keyring, known=known),
            )
            manifest = made.manifest
            say(
                f"Backup {manifest.name}: {manifest.content_size / 1e6:,.0f} MB in "
                f"{manifest.files:,} files, sealed {manifest.size / 1e6:,.0f} MB, read back, "
                f"{made.duration_s:.1f} s."
            )
            remote = remote_of(settings, identity.cluster)
            if remote is not None:
                stored = await asyncio.to_thread(remote.store, repository)
                say(f"Copied {stored:,} files to the remote.")
            removed = await asyncio.to_thread(
                forget_old,
                repository, keyring, days=settings.backup_retention_days, now=utc_now(),
            )  # fmt: skip
    except Exception as error:
        metrics.last_status.set(0)
        await journaling.record(server, journaling.failed(identity.cluster, began_at, error))
        raise
    except BaseException:
        metrics.last_status.set(0)
        raise
    if removed.backups or removed.segments:
        log.info("old backups removed", backups=removed.backups, segments=len(removed.segments))
    metrics.last_status.set(1)
    metrics.last_success.set(manifest.ended_at.timestamp())
    metrics.duration.observe(made.duration_s)
    metrics.size.set(manifest.size)
    await journaling.record(server, journaling.made(made))
    return made
