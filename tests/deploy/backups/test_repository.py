import errno
import shutil
import subprocess

import pytest

from deploy.backups.errors import BackupError
from deploy.backups.manifest import Received
from deploy.backups.repository import Repository, whole_file, write_whole
from shared.clock import utc_now
from shared.sealed_files.errors import FileDamaged, FileTruncated, KeyIsWrong
from shared.sealed_files.keys import Keyring
from tests.support.backups import RING


@pytest.fixture
def repository(tmp_path):
    return Repository.of(tmp_path / "backups", "7713")


def received(timeline=1, cluster="7713"):
    return Received(
        cluster=cluster, timeline=timeline, segment_bytes=2**24, lsn="0/3000000", at=utc_now()
    )


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of a megabyte, where one may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(  # noqa: S603 - fixed words.
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],  # noqa: S607 - the machine's.
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("no disk may be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607 - see above.


def test_a_file_has_its_name_once_it_is_whole(tmp_path):
    path = tmp_path / "folder" / "file"

    with whole_file(path) as file:
        file.write(b"whole")
        assert not path.exists()

    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_goes_wrong_leaves_what_was_there_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"before")

    with pytest.raises(ValueError, match="in the middle"):
        _write_half(path)

    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def _write_half(path):
    with whole_file(path) as file:
        file.write(b"half")
        raise ValueError("in the middle")


def test_a_full_disk_leaves_what_was_there(tiny_disk):
    path = tiny_disk / "file"
    write_whole(path, b"before")

    with pytest.raises(OSError, match="No space left") as refused:
        write_whole(path, bytes(2_000_000))

    assert refused.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"before"
    assert list(tiny_disk.iterdir()) == [path]
    write_whole(path, b"after")  # There is room again.


def test_what_was_signed_is_read_and_nothing_else(repository):
    path = repository.received_path(1)
    write_whole(path, received().written(RING))
    raw = path.read_bytes()

    assert repository.received(1, RING).lsn == "0/3000000"
    assert repository.received(2, RING) is None
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises((FileDamaged, FileTruncated, KeyIsWrong)):
            repository.received(1, RING)
    path.write_bytes(raw[:-20])
    with pytest.raises(FileTruncated):
        repository.received(1, RING)
    path.write_bytes(raw)
    with pytest.raises(KeyIsWrong):
        repository.received(1, Keyring("cd" * 32))


@pytest.mark.parametrize("other", [received(timeline=2), received(cluster="1")])
def test_a_note_of_another_timeline_or_cluster_is_refused(repository, other):
    write_whole(repository.received_path(1), other.written(RING))

    with pytest.raises(BackupError, match="another timeline"):
        repository.received(1, RING)


def test_a_signature_of_one_kind_is_none_of_another(repository):
    """A note that says the same as a manifest is none."""
    raw = received().written(RING)

    class Other(Received):
        pass

    with pytest.raises(FileDamaged, match="signature"):
        Other.read(raw, RING, "the note")


def test_a_backup_without_its_manifest_is_none(repository):
    repository.base_path("20261120T020000Z").parent.mkdir(parents=True)
    repository.base_path("20261120T020000Z").write_bytes(b"all of it")

    assert repository.names() == []
    assert repository.manifests(RING) == []
    shutil.rmtree(repository.folder)
    assert repository.timelines() == []
