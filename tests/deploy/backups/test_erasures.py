"""The list of who was erased: kept beside the backups, whole or refused, and copied elsewhere."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from deploy.backups.erasures import ErasuresLost, begin_anew, list_known, note_erasures, read_list
from deploy.backups.job import BackupJob
from deploy.backups.remote import Remote
from deploy.backups.repository import Repository
from deploy.backups.restore import plan_restore
from deploy.backups.rules import kept
from deploy.backups.run import run_backup
from deploy.backups.settings import Settings
from shared.sealed_files.errors import FileDamaged, FileTruncated, KeyIsWrong
from shared.sealed_files.keys import Keyring
from tests.support.backups import KEY, RING, backed_up

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asvs("F12")]


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory):
    """A database that knows whom auth erased, as the role of backups is told."""
    async with backed_up(tmp_path_factory.mktemp("erasures")) as found:
        async with found.superuser() as connection:
            await connection.execute("""
                CREATE SCHEMA IF NOT EXISTS auth;
                GRANT USAGE ON SCHEMA auth TO stock_backup;
                CREATE TABLE auth.erased (tenant_id uuid, user_id uuid, erased_at timestamptz);
                CREATE FUNCTION auth.list_erased()
                RETURNS TABLE (tenant_id uuid, user_id uuid, erased_at timestamptz)
                LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM auth.erased ORDER BY erased_at'""")
        yield found


@pytest.fixture
def repository(cluster, tmp_path):
    return Repository.of(tmp_path / "backups", cluster.identity.cluster)


@pytest.fixture
def erase(cluster):
    async def erase_one():
        person = uuid4()
        async with cluster.superuser() as connection:
            await connection.execute(
                "INSERT INTO auth.erased VALUES ($1, $2, clock_timestamp())", uuid4(), person
            )
        return person

    return erase_one


@pytest.fixture
async def listed(cluster, repository, erase):
    """A list of three files; return who is on it."""
    people = []
    for _ in range(3):
        people.append(await erase())
        await note(cluster, repository)
    return people


async def note(cluster, repository, known=0):
    return await note_erasures(cluster.server, repository, RING, known=known)


def people_on(repository, known=0):
    return [person.user_id for person in read_list(repository, RING, known=known).persons]


async def test_each_round_notes_who_is_new_and_changes_no_file(cluster, repository, listed):
    before = [repository.erasures_path(n).read_bytes() for n in repository.erasures()]

    again = await note(cluster, repository)

    assert again == len(before) == 3
    assert people_on(repository)[-3:] == listed
    assert [repository.erasures_path(n).read_bytes() for n in (1, 2, 3)] == before


async def test_two_at_once_write_one_list(cluster, repository, erase):
    person = await erase()

    await asyncio.gather(*(note(cluster, repository) for _ in range(4)))

    assert people_on(repository).count(person) == 1


async def test_what_could_not_be_noted_is_noted_once_the_store_is_back(cluster, repository, erase):
    person = await erase()
    shutil.rmtree(repository.folder, ignore_errors=True)
    repository.folder.write_text("in the way")
    with pytest.raises(OSError):  # noqa: PT011 - whatever the disk says.
        await note(cluster, repository)
    repository.folder.unlink()

    await note(cluster, repository)

    assert person in people_on(repository)


async def test_a_list_that_was_cut_off_is_refused(cluster, repository, listed):
    """In its middle by the chain, at its end by what backups and the log know of it."""
    repository.erasures_path(3).unlink()
    assert len(people_on(repository)) > 0  # Nothing in the list itself tells.

    with pytest.raises(ErasuresLost, match=r"cut off: .*000003.* fetch"):
        people_on(repository, known=3)
    with pytest.raises(ErasuresLost, match="cut off"):
        await note(cluster, repository, known=3)

    repository.erasures_path(1).unlink()
    with pytest.raises(ErasuresLost, match=r"cut off: .*000001"):
        people_on(repository)


async def test_one_that_is_lost_for_good_begins_anew_with_whom_the_database_knows(
    cluster, repository, listed, tmp_path
):
    for number in (1, 3):
        repository.erasures_path(number).unlink()
    with pytest.raises(ErasuresLost, match="--anew"):
        people_on(repository, known=3)

    everybody = await begin_anew(cluster.server, repository, RING, known=3)

    assert repository.erasures() == [2, 4]
    found = people_on(repository, known=4)
    assert found[-3:] == listed
    assert len(found) == everybody
    assert await note(cluster, repository, known=4) == 4
    repository.erasures_path(4).unlink()
    with pytest.raises(ErasuresLost, match="cut off"):
        people_on(repository, known=4)


async def test_a_list_that_was_altered_is_refused(cluster, repository, listed):
    first, second = repository.erasures_path(1), repository.erasures_path(2)
    whole = second.read_bytes()

    second.write_bytes(whole.replace(b'"number', b'"Number', 1))
    with pytest.raises(FileDamaged, match="signature"):
        people_on(repository)
    second.write_bytes(whole[:-20])
    with pytest.raises(FileTruncated, match="truncated"):
        people_on(repository)
    second.write_bytes(first.read_bytes())
    with pytest.raises(ErasuresLost, match="not the file that the next one follows"):
        people_on(repository)
    second.write_bytes(whole)
    with pytest.raises(KeyIsWrong, match="was signed with key"):
        read_list(repository, Keyring("cd" * 32), known=0)


async def test_backups_and_the_log_know_how_long_it_is_and_a_restore_asks_them(
    cluster, tmp_path, erase
):
    settings = Settings(
        environment="test",
        metrics_token="t" * 16,
        database_url=cluster.server.dsn,
        backup_encryption_key=KEY,
        backup_dir=tmp_path / "own",
        backup_spool_dir=cluster.folder / "spool",
        backup_wal_interval_s=0.2,
    )
    repository = Repository.of(settings.backup_dir, cluster.identity.cluster)
    first = await erase()

    made = await run_backup(settings, cluster.server, cluster.identity, lambda _text: None)

    assert made.manifest.erasures == 1
    plan = plan_restore(repository, RING, None, spool=None)
    assert first in {person.user_id for person in plan.erased.persons}
    assert any("persons by the list" in line for line in plan.lines(tmp_path))
    repository.erasures_path(1).unlink()
    with pytest.raises(ErasuresLost, match="cut off"):
        plan_restore(repository, RING, None, spool=None)
    without = plan_restore(repository, RING, None, spool=None, has_list=False)
    assert without.erased.persons == ()


async def test_the_job_keeps_it_and_goes_on_while_it_is_damaged(cluster, repository, erase, listed):
    cluster.keeper.erasures = 0
    job = BackupJob.__new__(BackupJob)
    job._server = cluster.server
    job._settings = Settings(
        environment="test",
        metrics_token="t" * 16,
        database_url=cluster.server.dsn,
        backup_encryption_key=KEY,
    )
    person = await erase()
    whole = repository.erasures_path(2).read_bytes()
    repository.erasures_path(2).write_bytes(b"{}\n")

    await job._note_erasures(cluster.keeper, repository)  # It is logged, and stops nothing.
    assert cluster.keeper.erasures == 0
    repository.erasures_path(2).write_bytes(whole)
    await job._note_erasures(cluster.keeper, repository)

    assert cluster.keeper.erasures == 4
    assert people_on(repository)[-1] == person
    await cluster.keeper.seal()
    cluster.keeper.erasures = 0
    assert list_known(cluster.repository, RING) == 4


async def test_a_copy_is_kept_elsewhere_which_is_never_written_over(
    cluster, repository, listed, tmp_path
):
    remote = Remote(f"file://{tmp_path}/remote", repository.cluster)
    remote.store(repository, only_log=True)
    whole = repository.erasures_path(3).read_bytes()
    repository.erasures_path(3).unlink()
    Remote(f"file://{tmp_path}/remote", repository.cluster).store(repository, only_log=True)

    again = Remote(f"file://{tmp_path}/remote", repository.cluster)
    again.fetch(repository, "erasures/000003.json")

    assert repository.erasures_path(3).read_bytes() == whole
    assert people_on(repository, known=3)[-3:] == listed


def test_the_last_copy_of_who_was_erased_ends_after_338_days():
    """With a backup each day; docs/operations.md says so."""

    class Made:
        def __init__(self, day):
            self.ended_at = datetime(2027, 1, 1, 2, tzinfo=UTC) + timedelta(days=day)
            self.name = self.ended_at.isoformat()

    longest, there = {}, []
    for day in range(1200):
        there.append(Made(day))
        stay = kept(there, 30)
        for one in there:
            if one.name not in stay:
                longest[one.name] = there[-1].ended_at - one.ended_at
        there = [one for one in there if one.name in stay]

    assert max(longest.values()) == timedelta(days=338)
