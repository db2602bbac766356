"""Backups of a real cluster, restored: to any second, or refused with the reason."""

import asyncio
import random
import shutil
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deploy.backups import recovery
from deploy.backups.errors import BackupError, NotReachable, SegmentMissing
from deploy.backups.reach import reach_of
from deploy.backups.repository import Repository
from deploy.backups.restore import plan_restore
from deploy.local.stack import embedded_postgres
from shared.sealed_files.errors import FileDamaged, FileTruncated, KeyIsWrong
from shared.sealed_files.keys import Keyring
from tests.support.backups import RING, backed_up, restored, restored_by, rows_in
from tests.support.database import FAST
from tests.support.waiting import pause

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asvs("F11")]


@pytest.fixture(scope="module")
async def past(tmp_path_factory):
    """A cluster with two backups, several files of its log, and a last second nobody sealed."""
    async with backed_up(tmp_path_factory.mktemp("past")) as found:
        await found.write(3)
        await found.back_up()
        for _ in range(3):
            await found.write(10)
            await pause(0.01)  # So that a moment lies between two rows.
            await found.switch()
        await found.keeper.seal()
        await pause(1.0)  # Names of backups are of seconds.
        await found.back_up()
        await found.write(10)
        await found.switch()
        await found.write(10)
        await found.keeper.seal()
        await pause(0.01)
        found.idle = await found.server.now()
        await found.keeper.seal()
        await found.write(5)  # After the last round of sealing: in the spool alone.
        async with found.superuser() as connection:
            await connection.execute("SELECT pg_switch_wal()")
            await found.write(2)
            wanted = await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        await _received(found, wanted)
    return found


async def _received(found, wanted):
    while True:
        progress = await found.server.progress()
        if progress.kept_lsn is not None and progress.kept_lsn >= wanted:
            return
        await asyncio.sleep(0)


@pytest.fixture
def repository(past, tmp_path):
    """A copy of what is kept, to do anything to."""
    copy = tmp_path / "backups" / past.identity.cluster
    shutil.copytree(past.repository.folder, copy)
    return Repository(copy)


async def test_the_last_second_comes_back(past, repository, tmp_path):
    """What was acknowledged, received and not sealed yet is in the spool beside the database."""
    spool = tmp_path / "spool"
    shutil.copytree(past.spool, spool)

    outcome = await restored(repository, tmp_path / "pg", spool=spool)

    assert await rows_in(tmp_path / "pg") == list(range(len(past.written)))
    assert outcome.ok
    assert past.written[-2] <= datetime.fromisoformat(outcome.last_commit) <= past.written[-1]


async def test_with_the_machine_only_what_was_not_sealed_is_lost(past, repository, tmp_path):
    await restored(repository, tmp_path / "pg")

    assert await rows_in(tmp_path / "pg") == list(range(len(past.written) - 7))


@pytest.mark.parametrize("last", [12, 22, 34, 45])
async def test_any_moment_comes_back_exactly(past, repository, tmp_path, last):
    """From the older backup and from the newer one, in whole files and in the last one."""
    await restored(repository, tmp_path / "pg", at=past.written[last])

    assert await rows_in(tmp_path / "pg") == list(range(last + 1))


async def test_a_moment_after_the_last_commit_is_reached_without_one(past, repository, tmp_path):
    """PostgreSQL itself ends with FATAL there."""
    await restored(repository, tmp_path / "pg", at=past.idle)

    assert await rows_in(tmp_path / "pg") == list(range(len(past.written) - 7))


async def test_a_moment_before_the_end_of_the_oldest_backup_is_refused(past, repository, tmp_path):
    """PostgreSQL itself restores something later there, and says nothing."""
    [oldest, _] = repository.manifests(RING)

    with pytest.raises(NotReachable) as refused:
        await restored(repository, tmp_path / "pg", oldest.ended_at - timedelta(seconds=1))

    assert oldest.ended_at.isoformat()[:19] in str(refused.value)
    assert "Reachable:" in str(refused.value)
    assert not (tmp_path / "pg").exists()


async def test_a_moment_after_all_that_is_kept_is_refused(repository, tmp_path):
    with pytest.raises(NotReachable, match="Reachable: "):
        await restored(repository, tmp_path / "pg", at=datetime.now(UTC) + timedelta(days=1))


async def test_a_moment_after_the_spool_ends_is_refused(past, repository, tmp_path):
    spool = tmp_path / "spool"
    shutil.copytree(past.spool, spool)

    with pytest.raises(NotReachable, match="the log that there is ends before it"):
        await restored(
            repository, tmp_path / "pg", at=datetime.now(UTC) + timedelta(days=1), spool=spool
        )

    assert not (tmp_path / "pg").exists()


async def test_one_changed_byte_in_any_file_is_refused_before_anything_is_touched(
    past, repository, tmp_path
):
    """Sampled over all parts: headers, chunks, ends, manifests, the note of what was received."""
    chosen = random.Random(11)  # noqa: S311 - a sample.
    for path in _all_that_is_read(repository):
        whole = path.read_bytes()
        places = {9, len(whole) // 2, len(whole) - 1}
        places |= {chosen.randrange(len(whole)) for _ in range(2)}
        for place in sorted(place for place in places if place < len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 1 << chosen.randrange(8)
            path.write_bytes(bytes(changed))
            with pytest.raises((FileDamaged, FileTruncated, KeyIsWrong)) as refused:
                _prove_all(repository)
            assert path.name in str(refused.value), (path, place)
        path.write_bytes(whole)
    _prove_all(repository)
    path = repository.base_path(repository.names()[-1])
    path.write_bytes(path.read_bytes().replace(b"STOCKBK1", b"STOCKBK2"))
    with pytest.raises(FileDamaged):
        await restored(repository, tmp_path / "pg")
    assert not (tmp_path / "pg").exists()


def _reaches(repository):
    return [reach_of(manifest, repository, RING) for manifest in repository.manifests(RING)]


def _prove_all(repository):
    for reach in _reaches(repository):
        recovery.prove_files(reach, repository, RING)


def _all_that_is_read(repository):
    """The log before the end of the oldest backup is in that backup."""
    logs = {p for reach in _reaches(repository) for p, *_ in recovery._log_files(reach, repository)}
    assert len(logs) > 4
    return [*sorted(logs)[::2], *repository.folder.glob("base/*/*"), repository.received_path(1)]


async def test_an_upload_that_was_cut_is_told_as_truncated(repository, tmp_path):
    path = repository.base_path(repository.names()[-1])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FileTruncated, match="is truncated"):
        await restored(repository, tmp_path / "pg")

    path.unlink()
    with pytest.raises(FileTruncated, match="is missing"):
        await restored(repository, tmp_path / "pg")


async def test_a_log_file_that_was_cut_is_told_as_truncated(past, repository, tmp_path):
    [first, *_] = repository.segments(1)
    for name in repository.segments(1):
        path = repository.segment_path(name)
        path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(FileTruncated, match="is truncated"):
        await restored(repository, tmp_path / "pg", at=past.written[22])
    assert first


async def test_a_missing_file_of_the_log_is_named_and_what_can_be_reached(
    past, repository, tmp_path
):
    """PostgreSQL itself ends at the gap and serves what is before it."""
    names = repository.segments(1)
    repository.segment_path(names[-1]).unlink()

    with pytest.raises(SegmentMissing) as refused:
        await restored(repository, tmp_path / "pg")

    assert names[-1] in str(refused.value)
    assert "Reachable: " in str(refused.value)
    assert not (tmp_path / "pg").exists()
    await restored(repository, tmp_path / "pg", at=repository.manifests(RING)[-1].ended_at)
    assert await rows_in(tmp_path / "pg") == list(range(33))


async def test_another_key_is_told_as_such(repository, tmp_path):
    with pytest.raises(KeyIsWrong, match="was signed with key"):
        plan_restore(repository, Keyring("cd" * 32), None, spool=None)


async def test_what_is_put_in_the_place_of_another_backup_is_refused(repository):
    older, newer = repository.names()
    shutil.copy(repository.manifest_path(older), repository.manifest_path(newer))

    with pytest.raises(BackupError, match="where it does not belong"):
        plan_restore(repository, RING, None, spool=None)


async def test_a_full_disk_is_told_before_anything_is_unpacked(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(recovery, "_ROOM", 1e9)

    with pytest.raises(BackupError, match="Disk full"):
        await restored(repository, tmp_path / "pg")
    assert not (tmp_path / "pg").exists()


async def test_files_of_another_version_are_refused(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(recovery, "program_version", lambda: 17)

    with pytest.raises(BackupError, match="is of PostgreSQL 18, and here is 17"):
        await restored(repository, tmp_path / "pg")


async def test_a_restored_cluster_takes_a_timeline_that_nobody_had(past, repository, tmp_path):
    """Else its log would be kept in the place of that of an earlier restore."""
    repository.wal_folder(4).mkdir()
    plan = plan_restore(repository, RING, None, spool=None)

    await restored_by(plan, tmp_path / "pg")

    with embedded_postgres(tmp_path / "pg", FAST) as dsn:
        connection = await asyncpg.connect(dsn)
        timeline = await connection.fetchval("SELECT timeline_id FROM pg_control_checkpoint()")
        slots = await connection.fetchval("SELECT count(*) FROM pg_replication_slots")
        archives = await connection.fetchval("SHOW archive_mode")
        await connection.close()
    assert timeline == 5
    assert slots == 0
    assert archives == "off"
