"""Journals of which months lie in archives are proved as before; what was not read is said."""

import asyncio
import re

import pytest

from shared.clock import utc_now
from shared.journal import verification
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.archived import list_archived_numbers
from shared.journal.checkpoint import seal
from shared.journal.verification import verify
from shared.sealed_files.errors import FileDamaged
from shared.sealed_files.keys import Keyring
from tests.shared.journal.conftest import KEY, OTHER_KEY
from tests.support.archives import MONTHS
from tests.support.waiting import PATIENCE_S, pause

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]


@pytest.fixture
async def archived(keeping, years):
    """Three months in archives, detached; gives the numbers of all entries."""
    await keeping.run(utc_now())
    await keeping.run(utc_now())
    return years


async def test_without_the_archives_their_manifests_are_taken_and_named(database, archived):
    found = await verify(database, KEY)

    assert found.ok
    assert found.entries == len(archived)
    assert [(f"{each.month:%Y-%m}", each.state) for each in found.archives] == [
        ("2018-01", "signed"), ("2018-02", "signed"), ("2018-03", "signed"),
    ]  # fmt: skip


async def test_an_archive_that_is_elsewhere_is_named_and_no_difference(database, archived, keeping):
    keeping.folder.file_of(MONTHS[1]).unlink()

    found = await verify(database, KEY, archives=keeping.folder)

    assert found.ok
    assert [each.state for each in found.archives] == ["read", "missing", "read"]
    assert "2018-02.jsonl.sealed is not there" in found.archives[1].reason


async def test_a_flipped_byte_anywhere_in_an_archive_is_named(database, archived, keeping):
    path = keeping.folder.file_of(MONTHS[1])
    content = path.read_bytes()
    for place in range(0, len(content), max(len(content) // 40, 1)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])

        found = await verify(database, KEY, archives=keeping.folder)

        assert found.first_difference.kind == "archive_damaged", place
        assert found.first_difference.archive == "2018-02"
        assert [each.state for each in found.archives] == ["read", "unreadable", "read"]


async def test_an_archive_made_anew_with_the_right_key_is_named_to_the_entry(
    database, archived, keeping
):
    """Whoever holds the key that seals archives, and not the one that signs, is seen."""
    manifest = keeping.folder.find_manifest(MONTHS[1], KEY.public)
    lines = [line for batch in keeping.folder.read(manifest) for line in batch]
    writer = keeping.folder.begin(MONTHS[1], utc_now())
    writer.write([*lines[:3], re.sub("user:test", "user:else", lines[3]), *lines[4:]])
    writer.finish()

    found = await verify(database, KEY, archives=keeping.folder)

    assert found.first_difference.archive == "2018-02"
    assert found.first_difference.kind == "changed"
    assert f'"seq":{found.first_difference.seq},' in lines[3]


@pytest.mark.parametrize(
    ("state", "kind"),
    [("detached_at = NULL", "removed"), ("manifest = 'none'", "archive_forged")],
)
async def test_a_note_of_an_archive_that_was_tampered_with_shows(
    database, archived, superuser, state, kind
):
    await superuser.execute(
        f"UPDATE reporting.journal_archives SET {state} WHERE month = '2018-02-01'"  # noqa: S608 - from above.
    )

    assert (await verify(database, KEY)).first_difference.kind == kind


async def test_an_entry_that_was_not_archived_is_missed_as_before(database, archived, superuser):
    await superuser.execute("DELETE FROM reporting.journal")

    assert (await verify(database, KEY)).first_difference.kind == "removed"


async def test_an_entry_put_back_among_archived_ones_shows(database, archived, superuser):
    await superuser.execute(
        "INSERT INTO reporting.journal (seq, xid, id, tenant_id, recorded_at, actor, request_id, "
        "type, subject, data) SELECT seq, xid, id, tenant_id, recorded_at, 'user:else', "
        "request_id, type, subject, data FROM reporting.journal_2018_02 LIMIT 1"
    )

    assert (await verify(database, KEY)).first_difference.kind == "inserted"


async def test_what_came_since_is_verified_alone(database, archived, note, keeping):
    since = KEY.public.read((await verify(database, KEY)).note)
    await note("one more")
    async with asyncio.timeout(PATIENCE_S):
        while not await seal(database, KEY):
            await pause(0.05)

    found = await verify(database, KEY, since=since, archives=keeping.folder)

    assert found.ok
    assert found.entries == len(archived) + 1
    assert found.archives == ()


async def test_a_month_that_leaves_while_the_journal_is_verified_is_no_difference(
    database, keeping, years, superuser, monkeypatch
):
    await keeping.run(utc_now())
    walk = verification._walk

    async def walk_later(*given):
        for month in MONTHS:
            await superuser.execute("SELECT reporting.detach_journal_month($1)", month)
        return await walk(*given)

    async def skip(*_given):
        """Look at nothing that would keep the table from being detached."""

    monkeypatch.setattr(verification, "_walk", walk_later)
    monkeypatch.setattr(verification, "_find_replaced", skip)

    assert (await verify(database, KEY)).ok


async def test_archives_of_another_key_do_not_open(database, archived, tmp_path):
    other = ArchiveFolder(tmp_path / "archives", "reporting", Keyring("cd" * 32))

    found = await verify(database, KEY, archives=other)

    assert {each.state for each in found.archives} == {"unreadable"}
    assert "sealed with key" in found.archives[0].reason


async def test_archives_say_nothing_in_the_clear_and_are_their_owners_alone(archived, keeping):
    content = keeping.folder.file_of(MONTHS[0]).read_bytes()

    assert b"user:test" not in content
    files = [path for path in keeping.folder.path.iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


async def test_manifests_name_the_one_before_and_are_of_one_journal(archived, keeping):
    manifests = [keeping.folder.find_manifest(month, KEY.public) for month in MONTHS]

    assert [manifest.previous is not None for manifest in manifests] == [False, True, True]
    assert sum(manifest.entries for manifest in manifests) == len(archived) - 1
    with pytest.raises(FileDamaged, match="not signed"):
        keeping.folder.find_manifest(MONTHS[0], OTHER_KEY.public)


async def test_the_numbers_of_archived_entries_are_told(database, archived):
    numbers, after = [], 0
    async with database.engine.connect() as connection:
        while after is not None:
            page = await list_archived_numbers(connection, KEY.public, after)
            numbers += page.seqs
            after = page.next

    assert len(numbers) == len(archived) - 1
    assert set(numbers) < archived
