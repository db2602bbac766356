"""Runs of backups on a real cluster: alone, made up when missed, never at the cost of others."""

import asyncio
import contextlib
import sys

import pytest

from deploy.backups import base, job, metrics, run
from deploy.backups.errors import BackupError
from deploy.backups.reach import reach_of
from deploy.backups.run import run_backup
from deploy.backups.settings import Settings
from deploy.backups.wal import SlotLost
from deploy.local.settings import ROOT
from shared.clock import utc_now
from tests.support.backups import KEY, RING, backed_up
from tests.support.waiting import eventually, pause

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory):
    async with backed_up(tmp_path_factory.mktemp("job")) as found:
        yield found


@pytest.fixture
def settings(cluster, tmp_path):
    return Settings(
        environment="test",
        metrics_token="t" * 16,
        database_url=cluster.server.dsn,
        backup_encryption_key=KEY,
        backup_dir=tmp_path / "backups",
        backup_spool_dir=cluster.folder / "spool",
        backup_wal_interval_s=0.2,
    )


@pytest.fixture
def back_up(cluster, settings):
    async def run_once():
        return await run_backup(settings, cluster.server, cluster.identity, lambda _text: None)

    return run_once


def names(settings, cluster):
    return sorted(
        path.parent.name
        for path in settings.backup_dir.glob(f"{cluster.identity.cluster}/base/*/manifest.json")
    )


def value_of(gauge):
    return gauge._value.get()


async def test_a_run_tells_what_it_did(cluster, settings, back_up):
    made = await back_up()

    assert names(settings, cluster) == [made.manifest.name]
    assert value_of(metrics.last_status) == 1
    assert value_of(metrics.last_success) == made.manifest.ended_at.timestamp()
    assert value_of(metrics.size) == made.manifest.size


async def test_a_full_disk_fails_the_run_at_once_and_keeps_the_last_good_one(
    cluster, settings, back_up, monkeypatch
):
    good = await back_up()
    await pause(1.0)  # Names are of seconds.
    write = base.SealedWriter.write

    def full(self, content):
        if self.size > 1_000_000:
            raise OSError(28, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(base.SealedWriter, "write", full)
    with pytest.raises(OSError, match="No space left"):
        await back_up()

    assert value_of(metrics.last_status) == 0
    assert names(settings, cluster) == [good.manifest.name]
    folders = [path for path in settings.backup_dir.glob("*/base/*") if path.is_dir()]
    assert [path.name for path in folders] == [good.manifest.name]


async def test_a_copy_that_ends_early_is_no_backup(cluster, settings, back_up, monkeypatch):
    """As `pg_dump | gzip` leaves one: a pipe that ended, and a code that nobody asked for."""
    monkeypatch.setattr(base, "program", lambda _name: "/bin/true")
    with pytest.raises(BackupError, match=r"not a whole archive|ends before its list of files"):
        await back_up()

    monkeypatch.setattr(base, "program", lambda _name: "/bin/false")
    with pytest.raises(BackupError, match="pg_basebackup failed"):
        await back_up()

    assert names(settings, cluster) == []
    assert value_of(metrics.last_status) == 0


async def test_one_runs_at_a_time(cluster, settings, back_up):
    async with cluster.server.only_run():
        with pytest.raises(BackupError, match="Another backup"):
            await back_up()

    await back_up()


async def test_a_remote_that_fails_fails_the_run_and_removes_nothing(
    cluster, settings, back_up, monkeypatch
):
    def failing(*_):
        raise BackupError("The remote failed at the folder: no route.")

    monkeypatch.setattr(run, "remote_of", failing)
    monkeypatch.setattr(run, "forget_old", None)
    with pytest.raises(BackupError, match="no route"):
        await back_up()

    assert value_of(metrics.last_status) == 0
    assert len(names(settings, cluster)) == 1  # It is here, and goes there with the next round.


async def test_a_run_that_is_killed_anywhere_leaves_no_backup_that_is_not_whole(
    cluster, settings, back_up
):
    environment = {
        "METRICS_TOKEN": "t" * 16, "DATABASE_URL": cluster.server.dsn,
        "BACKUP_ENCRYPTION_KEY": KEY, "BACKUP_DIR": str(settings.backup_dir),
        "STATE_DIR": str(settings.backup_dir.parent / "nowhere"),
    }  # fmt: skip
    for size in (1, 1_000_000, 3_000_000):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.backups", "backup"),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(
            lambda size=size, process=process: (
                process.returncode is not None
                or any(_size(p) >= size for p in settings.backup_dir.glob("*/base/*/.*.part"))
            )
        )
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    before = names(settings, cluster)

    made = await eventually(lambda: _made(back_up))  # Once the server knows that they are gone.

    assert names(settings, cluster) == [*before, made.manifest.name]
    for path in settings.backup_dir.glob("*/base/*"):
        assert sorted(p.name for p in path.iterdir()) == ["base.tar.sealed", "manifest.json"]


async def _made(back_up):
    with contextlib.suppress(BackupError):
        return await back_up()


def _size(path):
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


@contextlib.asynccontextmanager
async def running(settings, monkeypatch):
    monkeypatch.setattr(job, "LOOK_INTERVAL_S", 0.1)
    found = job.BackupJob(settings)
    task = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_job_makes_up_what_was_missed_and_keeps_the_log(cluster, settings, monkeypatch):
    """A first start has missed all; then the log is kept second by second."""
    repository = _repository(settings, cluster)
    async with running(settings, monkeypatch) as found:
        await eventually(lambda: names(settings, cluster))
        at = await cluster.write(5)
        received = await eventually(lambda: _received_since(repository, at))

    [manifest] = repository.manifests(RING)
    assert found.is_ready
    assert reach_of(manifest, repository, RING).until == received.at
    assert value_of(metrics.last_success) == manifest.ended_at.timestamp()


async def test_log_that_is_lost_leads_to_a_new_backup_at_once(cluster, settings, monkeypatch):
    """As when the job stood still until the server had to let its log go."""
    repository = _repository(settings, cluster)
    async with running(settings, monkeypatch):
        await eventually(lambda: names(settings, cluster))
        await pause(1.0)  # Names are of seconds.
        await eventually(lambda: _dropped(cluster))
        await eventually(lambda: len(names(settings, cluster)) == 2)
        at = await cluster.write(1)
        await eventually(lambda: _received_since(repository, at))

    newest = repository.manifests(RING)[-1]
    assert reach_of(newest, repository, RING).until >= at


async def test_a_server_that_lost_the_log_says_so(cluster):
    await _dropped_for_sure(cluster)

    with pytest.raises(SlotLost, match="a new base backup"):
        await cluster.keeper.seal()
    assert await cluster.keeper.prepare()
    assert not await cluster.keeper.prepare()


async def test_a_schedule_that_failed_waits_before_it_is_tried_again(
    cluster, settings, monkeypatch
):
    tried = []

    async def failing(*_):
        tried.append(utc_now())
        raise BackupError("no")

    monkeypatch.setattr(job, "run_backup", failing)
    async with running(settings, monkeypatch):
        await eventually(lambda: tried)
        await pause(0.5)

    assert len(tried) == 1


def _repository(settings, cluster):
    return run.Repository(settings.backup_dir.resolve() / cluster.identity.cluster)


def _received_since(repository, at):
    received = repository.received(1, RING)
    return received if received is not None and received.at > at else None


async def _dropped(cluster):
    """Take the slot away from whoever receives."""
    async with cluster.superuser() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active"
        )
        with contextlib.suppress(Exception):
            await cluster.server.drop_slot()
            return True
    return False


async def _dropped_for_sure(cluster):
    await eventually(lambda: _dropped(cluster))
