"""The process of backups: it receives and seals the log, and runs what its schedules say."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import asyncpg

from deploy.backups import metrics
from deploy.backups.erasures import list_known, note_erasures
from deploy.backups.errors import BackupError
from deploy.backups.manifest import Manifest
from deploy.backups.remote import Remote
from deploy.backups.repository import Repository
from deploy.backups.rules import is_due, last_due
from deploy.backups.run import remote_of, run_backup
from deploy.backups.server import BackedServer, Cluster
from deploy.backups.settings import Settings
from deploy.backups.wal import SlotLost, WalKeeper
from shared.clock import utc_now
from shared.ending import is_ending
from shared.log import log

LOOK_INTERVAL_S = 5.0
AGAIN_AFTER_S = 300.0  # After a run that failed.
ROOT = Path(__file__).resolve().parents[2]


class ClusterChanged(BackupError):
    """The database is another one now, or on another timeline, as after a restore."""


class BackupJob:
    """What the process does for as long as it runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = BackedServer(settings.database_url.get_secret_value())
        self._lag = metrics.WalLag()
        self._not_before: dict[str, float] = {}  # When what failed may be tried again.
        self._has_gap = False  # What is written now can be restored from a new backup only.
        self._is_backing_up = False
        self.is_ready = not settings.backup_enabled  # Switched off there is nothing to wait for.
        metrics.last_status.set(1)  # Until one fails; that none was made, the time says.

    async def run(self) -> None:
        """Back up whatever database is there, for ever."""
        while self._settings.backup_enabled:
            try:
                identity = await self._server.identify()
                self.is_ready = True
                await self._keep(identity)
            except ClusterChanged as error:
                log.warning("the database changed", reason=str(error))
            except SlotLost as error:
                log.error("part of the log is lost", reason=str(error))
            except (BackupError, OSError) as error:
                log.warning("backups wait", reason=str(error))
            except Exception:
                if is_ending():
                    raise
                log.exception("backups failed")
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def _keep(self, identity: Cluster) -> None:
        """Keep this cluster on this timeline until something is not as it was."""
        repository = Repository.of(self._settings.backup_dir, identity.cluster)
        keeper = WalKeeper(
            self._server,
            repository,
            self._settings.keyring,
            identity,
            self._settings.backup_spool_dir,
        )
        self._has_gap |= await keeper.prepare()
        keeper.erasures = await asyncio.to_thread(list_known, repository, self._settings.keyring)
        loops = (
            keeper.receive(),
            self._seal(keeper, repository),
            self._follow_schedules(identity, repository),
        )
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # Raises why it ended; none ends otherwise.
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _seal(self, keeper: WalKeeper, repository: Repository) -> None:
        remote = remote_of(self._settings, repository.cluster)
        while True:
            await self._note_erasures(keeper, repository)
            try:
                received = await keeper.seal()
                self._lag.note("here", received.at.timestamp())
                if remote is not None:
                    # A run copies its own backup; what it could not goes with the next round.
                    is_running = self._is_backing_up
                    await asyncio.to_thread(remote.store, repository, only_log=is_running)
                    self._lag.note("remote", received.at.timestamp())
            except SlotLost:
                raise
            except (BackupError, OSError) as error:
                log.error("the write-ahead log is not kept", reason=str(error))
                remote = self._fresh(remote, repository)
            await asyncio.sleep(self._settings.backup_wal_interval_s)
            if await self._server.identify() != keeper.identity:
                raise ClusterChanged("It is followed from its new timeline on.")

    async def _note_erasures(self, keeper: WalKeeper, repository: Repository) -> None:
        """Keep the list of erasures; what is wrong with it stops neither log nor backups."""
        keyring, known = self._settings.keyring, keeper.erasures
        try:
            keeper.erasures = await note_erasures(self._server, repository, keyring, known=known)
        except (BackupError, OSError, asyncpg.PostgresError) as error:
            log.error("the list of erasures is not kept", reason=str(error))

    def _fresh(self, remote: Remote | None, repository: Repository) -> Remote | None:
        """After a failure look anew at what is at the remote."""
        if remote is None:
            return None
        with suppress(BackupError):
            return remote_of(self._settings, repository.cluster)
        return remote

    async def _follow_schedules(self, identity: Cluster, repository: Repository) -> None:
        while True:
            now = utc_now()
            manifests = repository.readable_manifests(self._settings.keyring, _complain)
            _tell_what_there_is(repository, manifests)
            made = [one.started_at for one in manifests if one.timeline == identity.timeline]
            is_missed = is_due(self._settings.backup_schedule, max(made, default=None), now)
            if (is_missed or self._has_gap) and self._may_try("backup"):
                await self._try("backup", self._back_up(identity))
            due_at = last_due(self._settings.backup_drill_schedule, now)
            # The first drill comes once there was something to rehearse when it was due.
            had_any = any(one.ended_at < due_at for one in manifests)
            drilled = last_drill(repository)
            if had_any and (drilled is None or drilled < due_at) and self._may_try("drill"):
                await self._try("drill", self._drill())
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def _back_up(self, identity: Cluster) -> None:
        self._is_backing_up = True
        try:
            await run_backup(self._settings, self._server, identity, log.info)
        finally:
            self._is_backing_up = False
        self._has_gap = False

    async def _drill(self) -> None:
        """Rehearse a restore in a process of its own: it is given what this one must not hold."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.backups", "drill"),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            lines = output.decode(errors="replace").strip().splitlines()
            raise BackupError(f"The drill failed: {lines[-1] if lines else process.returncode}")

    def _may_try(self, what: str) -> bool:
        """Say whether it did not fail a moment ago."""
        return asyncio.get_running_loop().time() >= self._not_before.get(what, 0.0)

    async def _try(self, what: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            if is_ending():
                raise
            self._not_before[what] = asyncio.get_running_loop().time() + AGAIN_AFTER_S
            log.error(f"{what} failed", reason=str(error) or type(error).__name__)
        else:
            self._not_before.pop(what, None)


def _tell_what_there_is(repository: Repository, manifests: Sequence[Manifest]) -> None:
    """Set the gauges by what lies there: a restart would lose them, and some is made by hand."""
    if manifests:
        newest = max(manifests, key=lambda manifest: manifest.ended_at)
        metrics.last_success.set(newest.ended_at.timestamp())
        metrics.size.set(newest.size)
    for name in reversed(evidence_names(repository, "drill")):
        evidence = json.loads((repository.evidence / name).read_text())
        if evidence["ok"]:
            metrics.drill_success.set(moment_of(name).timestamp())
            metrics.drill_duration.set(evidence["duration_s"])
            break


def _complain(error: BackupError) -> None:
    log.error("a backup cannot be read", reason=str(error))


def last_drill(repository: Repository) -> datetime | None:
    """Return when a restore was rehearsed last, well or not."""
    names = evidence_names(repository, "drill")
    return moment_of(names[-1]) if names else None


def evidence_names(repository: Repository, kind: str) -> list[str]:
    """Return the names of what restores or drills came to, oldest first."""
    return sorted(path.name for path in repository.evidence.glob(f"*-{kind}.json"))


def moment_of(name: str) -> datetime:
    """Return the moment with which a name begins."""
    return datetime.fromisoformat(name[:16])
