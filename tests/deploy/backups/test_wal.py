"""The spool of the write-ahead log: what was received is sealed in its order, without a gap."""

import pytest

from deploy.backups import wal
from deploy.backups.repository import Repository
from deploy.backups.wal import seal_file, seal_spool
from shared.sealed_files.errors import FileDamaged
from shared.sealed_files.form import FileLabel, SealedReader
from tests.support.backups import RING

FIVE, SIX, SEVEN = (f"00000001000000000000000{n}" for n in (5, 6, 7))


@pytest.fixture
def repository(tmp_path):
    return Repository.of(tmp_path / "backups", "7713")


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


def opened(path, label):
    with path.open("rb") as file:
        return SealedReader(file, RING, label, where=str(path)).read()


def test_what_is_whole_leaves_the_spool_and_what_is_not_stays(repository, spool):
    for name in (SIX, FIVE):
        (spool / name).write_bytes(name.encode())
    (spool / f"{SEVEN}.partial").write_bytes(b"some of it")

    assert seal_spool(repository, RING, spool)

    assert repository.segments(1) == [FIVE, SIX]
    assert [path.name for path in spool.iterdir()] == [f"{SEVEN}.partial"]
    assert opened(repository.segment_path(SIX), FileLabel("wal", "7713", SIX)) == SIX.encode()
    partial = FileLabel("partial", "7713", f"{SEVEN}.partial")
    assert opened(repository.partial_path(1), partial) == b"some of it"


def test_an_empty_spool_has_nothing_to_seal(repository, spool):
    assert not seal_spool(repository, RING, spool)


def test_what_becomes_whole_meanwhile_is_sealed_before_what_follows_it(
    repository, spool, monkeypatch
):
    """Else the note of what is kept would be ahead of what is, until the next round."""
    (spool / FIVE).write_bytes(b"five")
    (spool / f"{SIX}.partial").write_bytes(b"six")
    seal = wal.seal_file

    def while_the_server_writes(source, *rest):
        seal(source, *rest)
        if source.name == FIVE:
            (spool / f"{SIX}.partial").rename(spool / SIX)
            (spool / f"{SEVEN}.partial").write_bytes(b"seven")
        if source.name == f"{SEVEN}.partial":
            assert repository.segments(1) == [FIVE, SIX]

    monkeypatch.setattr(wal, "seal_file", while_the_server_writes)
    seal_spool(repository, RING, spool)

    assert repository.segments(1) == [FIVE, SIX]
    partial = FileLabel("partial", "7713", f"{SEVEN}.partial")
    assert opened(repository.partial_path(1), partial) == b"seven"


def test_a_file_that_was_not_written_as_it_was_read_gets_no_name(repository, spool, monkeypatch):
    (spool / FIVE).write_bytes(b"five")
    monkeypatch.setattr(wal, "_hash_of", lambda _read: b"another")

    with pytest.raises(FileDamaged, match="look at the disk"):
        seal_file(spool / FIVE, repository.segment_path(FIVE), RING, FileLabel("wal", "7713", FIVE))

    assert repository.segments(1) == []
    assert (spool / FIVE).exists()
