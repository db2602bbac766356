"""An exported journal: whole, once, whatever stops it; and what somebody changed in its files."""

import asyncio
import gzip
import json
import os
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.journal import archive
from shared.journal.__main__ import main
from shared.journal.archive import ArchiveBroken, check
from shared.journal.checkpoint import ChainBroken
from shared.journal.export import Exporter
from tests.shared.journal.conftest import KEY, OTHER_KEY, everything_sealed
from tests.shared.journal.test_tampering import seal_as_before

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]
LARGE = 1_000_000


@pytest.fixture
def exporter(database, tmp_path):
    def make(max_bytes=LARGE, key=KEY):
        return Exporter(database, key, tmp_path / "export", max_bytes=max_bytes)

    return make


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "export"


def entries_in(folder):
    """The numbers of all entries, in the order of the files."""
    found = []
    for path in sorted(folder.glob("reporting-*.jsonl*")):
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        lines = [json.loads(line) for line in content.splitlines()]
        found += [line["seq"] for line in lines if "seq" in line]
    return found


async def test_every_sealed_entry_is_a_line_that_tools_can_read(exporter, sealed, folder):
    assert await exporter().export(utc_now()) == 10
    assert await exporter().export(utc_now()) == 0

    [path] = folder.glob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    entries = [line for line in lines if "seq" in line]
    assert [entry["seq"] for entry in entries] == [row["seq"] for row in sealed]
    assert entries[0]["data"] == {"text": "entry 0"}
    assert entries[0]["actor"] == "user:test"
    assert "checkpoint" in lines[-1]
    assert check(folder, KEY.public) == archive.ArchiveCheck(0, 10, 3, 3)


async def test_files_are_closed_when_large_and_are_their_owners_alone(exporter, sealed, folder):
    await exporter(max_bytes=1).export(utc_now())

    names = sorted(path.name for path in folder.iterdir())
    assert [name for name in names if name.endswith(".gz")] == [
        f"reporting-{number:08}.jsonl.gz" for number in (1, 2, 3)
    ]
    assert not [name for name in names if name.endswith(".jsonl")]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert check(folder, KEY.public) == archive.ArchiveCheck(3, 10, 3, 3)
    assert entries_in(folder) == [row["seq"] for row in sealed]


async def test_a_file_of_yesterday_is_closed(exporter, sealed, folder):
    await exporter().export(utc_now())
    assert not list(folder.glob("*.gz"))

    await exporter().export(utc_now() + timedelta(days=1))

    assert [path.name for path in folder.glob("*.gz")] == ["reporting-00000001.jsonl.gz"]
    assert check(folder, KEY.public).entries == 10


@pytest.mark.parametrize("cut", [1, 100, 400, 900])
async def test_killed_while_writing_it_goes_on_without_gap_or_double(
    exporter, sealed, note, database, superuser, folder, cut
):
    """The open file ends anywhere within what was being written."""
    await exporter().export(utc_now())
    [path] = folder.glob("*.jsonl")
    os.truncate(path, path.stat().st_size - cut)
    await note("more")
    await everything_sealed(database, superuser)

    await exporter().export(utc_now())

    assert entries_in(folder) == [
        row["seq"]
        for row in await superuser.fetch("SELECT seq FROM reporting.journal ORDER BY xid, seq")
    ]
    assert check(folder, KEY.public).entries == 11


@pytest.mark.parametrize("lost", [["gz", "json"], ["json"], []])
async def test_killed_while_closing_it_is_closed_again(exporter, sealed, folder, lost):
    """Before the compressed file, before its manifest, or before the open one was removed."""
    await exporter().export(utc_now())
    [opened] = folder.glob("*.jsonl")
    content = opened.read_bytes()
    await exporter(max_bytes=1).export(utc_now())
    opened.write_bytes(content)
    for suffix in lost:
        (folder / f"reporting-00000001.{'jsonl.gz' if suffix == 'gz' else 'json'}").unlink()

    await exporter(max_bytes=1).export(utc_now())

    assert not list(folder.glob("*.jsonl"))
    assert check(folder, KEY.public) == archive.ArchiveCheck(1, 10, 3, 3)


async def test_of_several_workers_one_writes(exporter, sealed, folder):
    written = await asyncio.gather(*(exporter().export(utc_now()) for _ in range(4)))

    assert sorted(written) == [0, 0, 0, 10]
    assert check(folder, KEY.public).entries == 10


async def test_what_is_not_as_sealed_is_not_exported(exporter, sealed, superuser, folder):
    await superuser.execute(
        "UPDATE reporting.journal SET actor = '' WHERE seq = $1", sealed[5]["seq"]
    )

    with pytest.raises(ChainBroken):
        await exporter().export(utc_now())

    assert entries_in(folder) == [row["seq"] for row in sealed[:4]]


@pytest.mark.parametrize(
    "data", ['{"a":\n1}', '{"b": "x\\n\\u2028é"}', '"a text"', '{"c": ",\\"data\\":{}"}', "[1,  2]"]
)
async def test_data_keep_their_exact_text(exporter, note, database, superuser, folder, data):
    await note("one")
    await superuser.execute(
        "UPDATE reporting.journal SET data = $1::text::json, actor = $2", data, 'x","data":{"y'
    )
    await everything_sealed(database, superuser)

    await exporter(max_bytes=1).export(utc_now())

    assert check(folder, KEY.public).entries == 1


async def test_checkpoints_of_before_are_exported_too(
    exporter, note, small, database, superuser, folder
):
    await note(*(f"old {number}" for number in range(6)))
    await seal_as_before(database, superuser)
    await note("new")
    await everything_sealed(database, superuser)

    await exporter(max_bytes=1).export(utc_now())

    assert check(folder, KEY.public) == archive.ArchiveCheck(3, 7, 3, 3)


@pytest.fixture
async def exported(exporter, sealed, note, database, superuser, folder):
    """Three closed files, and an open one with the newest checkpoint."""
    await exporter(max_bytes=1).export(utc_now())
    await note("more")
    await everything_sealed(database, superuser)
    await exporter().export(utc_now())
    assert check(folder, KEY.public).files == 3
    return folder


def rewrite(path, change):
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda f: (f / "reporting-00000002.jsonl.gz").unlink(), "it is not there"),
        (lambda f: (f / "reporting-00000002.json").unlink(), "does not follow"),
        (
            lambda f: rewrite(
                f / "reporting-00000002.jsonl.gz", lambda c: c.replace(b"user:test", b"user:x")
            ),
            "hash",
        ),
        (
            lambda f: (f / "reporting-00000003.json").write_text(
                (f / "reporting-00000003.json").read_text().replace('"entries": ', '"entries": 1')
            ),
            "not signed",
        ),
        (
            lambda f: next(f.glob("*.jsonl")).write_text(
                next(f.glob("*.jsonl")).read_text().replace("user:test", "user:x")
            ),
            "checkpoint 4 does not hold",
        ),
        (lambda f: next(f.glob("*.jsonl")).write_text("{}\n" + next(f.glob("*.jsonl")).read_text()),
         "none of an export"),
    ],
)  # fmt: skip
async def test_what_was_changed_in_the_files_is_named(exported, tamper, said):
    tamper(exported)

    with pytest.raises(ArchiveBroken, match=said):
        check(exported, KEY.public)


async def test_old_files_may_be_removed(exported):
    for path in exported.glob("reporting-00000001.*"):
        path.unlink()

    assert check(exported, KEY.public).files == 2


async def test_another_key_proves_nothing(exported):
    with pytest.raises(ArchiveBroken, match="not signed"):
        check(exported, OTHER_KEY.public)


async def test_anybody_with_the_public_key_checks_a_folder(exported, tmp_path):
    key = KEY.public.written

    assert main([str(exported), key]) == (
        "Verified: 11 entries in 3 closed files and the open one, up to checkpoint 4."
    )
    for words in ([str(exported), "no key"], [str(exported)], [str(tmp_path), key]):
        with pytest.raises(SystemExit):
            main(words)
    (exported / "reporting-00000001.jsonl.gz").unlink()
    with pytest.raises(SystemExit, match=r"reporting-00000001\.jsonl\.gz: it is not there"):
        main([str(exported), key])
