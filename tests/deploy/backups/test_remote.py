"""The copy elsewhere: whole, compared, manifests last; a folder, and a local S3."""

import pytest

from deploy.backups import remote as remotes
from deploy.backups.errors import BackupError
from deploy.backups.remote import Remote
from deploy.backups.repository import Repository, write_whole

NAME = "20261120T020000Z"
SEGMENT = "000000010000000000000003"


@pytest.fixture
def repository(tmp_path):
    found = Repository.of(tmp_path / "backups", "7713")
    write_whole(found.base_path(NAME), b"base" * 100_000)
    write_whole(found.manifest_path(NAME), b"manifest")
    write_whole(found.segment_path(SEGMENT), b"segment")
    write_whole(found.partial_path(1), b"partial")
    write_whole(found.received_path(1), b"received")
    write_whole(found.evidence / "20261120T040000Z-drill.json", b"{}")
    return found


@pytest.fixture(scope="module")
def s3():
    import boto3  # noqa: PLC0415 - slow to import, as the next.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - same.

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"key": "key", "secret": "secret", "endpoint_url": f"http://{host}:{port}"}
    boto3.client(
        "s3", aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1",
        endpoint_url=options["endpoint_url"],
    ).create_bucket(Bucket="bucket")  # fmt: skip
    yield options
    server.stop()


@pytest.fixture(params=["file", pytest.param("s3", marks=pytest.mark.slow)])
def open_remote(request, tmp_path):
    """Return a function that opens the same remote anew."""
    if request.param == "file":
        return lambda: Remote(f"file://{tmp_path}/remote", "7713")
    options = request.getfixturevalue("s3")
    folder = f"s3://bucket/{tmp_path.name}"
    return lambda: Remote(folder, "7713", options)


FILES = [
    f"base/{NAME}/base.tar.sealed",
    f"base/{NAME}/manifest.json",
    f"wal/00000001/{SEGMENT}.sealed",
    "wal/00000001/partial.sealed",
    "wal/00000001/received.json",
]


def test_what_is_here_is_there_once(repository, open_remote):
    remote = open_remote()

    assert remote.store(repository) == 5
    assert remote.store(repository) == 0
    assert open_remote().names() == FILES


def test_another_process_sends_again_only_what_changes(repository, open_remote):
    open_remote().store(repository)

    assert open_remote().store(repository) == 2  # The partial file and how far it goes.


def test_what_changed_is_sent_again(repository, open_remote):
    remote = open_remote()
    remote.store(repository)
    write_whole(repository.partial_path(1), b"more of it")

    assert remote.store(repository) == 1


def test_a_file_that_was_cut_there_is_sent_again(repository, open_remote, tmp_path):
    remote = open_remote()
    remote.store(repository)
    with remote._open(f"base/{NAME}/base.tar.sealed", "wb") as file:
        file.write(b"cut")

    assert open_remote().store(repository) == 3


def test_all_can_be_fetched_by_whoever_has_nothing(repository, open_remote, tmp_path):
    open_remote().store(repository)
    empty = Repository.of(tmp_path / "elsewhere", "7713")
    remote = open_remote()

    for name in remote.names():
        remote.fetch(empty, name)

    for name in FILES:
        assert (empty.folder / name).read_bytes() == (repository.folder / name).read_bytes()


def test_the_manifest_is_never_there_before_its_backup(repository, open_remote, monkeypatch):
    """An upload that fails in its middle stores nothing, and no manifest follows it."""
    pieces = remotes._pieces

    def failing(file):
        for n, piece in enumerate(pieces(file)):
            yield piece[:100]
            if len(piece) > 1000 or n > 0:
                raise OSError("connection lost")

    monkeypatch.setattr(remotes, "_pieces", failing)
    with pytest.raises(BackupError, match=r"base\.tar\.sealed: connection lost"):
        open_remote().store(repository)
    monkeypatch.undo()

    assert open_remote().names() == FILES[2:]
    assert open_remote().store(repository) == 4


def test_what_arrives_changed_is_found_out(repository, open_remote, monkeypatch):
    remote = open_remote()
    opened = remote._open

    def changed(name, mode):
        file = opened(name, mode)
        read = file.read
        file.read = lambda size: read(size)[::-1]
        return file

    monkeypatch.setattr(remote, "_open", changed)
    with pytest.raises(BackupError, match="did not arrive"):
        remote.store(repository)


def test_a_remote_that_is_away_is_told_in_one_line(repository):
    at_once = {"retries": {"max_attempts": 0}}
    options = {"key": "k", "secret": "s", "endpoint_url": "http://127.0.0.1:9"}
    options |= {"config_kwargs": at_once}

    with pytest.raises(BackupError, match="The remote failed") as refused:
        Remote("s3://bucket", "7713", options).store(repository)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["nothing://bucket", "gs://bucket/folder"])
def test_a_kind_that_is_not_installed_is_told_with_what_to_do(url):
    with pytest.raises(BackupError, match=r"docs/operations\.md"):
        Remote(url, "7713")
