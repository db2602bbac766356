import os
import stat

import pytest

from deploy.local import output
from deploy.local.instance import Instance, own_note
from deploy.local.private import close_to_others, open_private, private_folder


@pytest.fixture(autouse=True)
def generous_umask():
    """As on a machine where everybody may read and write everything."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_private_new_or_not(tmp_path):
    (tmp_path / "old").mkdir()

    assert mode(private_folder(tmp_path / "new" / "inner")) == 0o700
    assert mode(private_folder(tmp_path / "old")) == 0o700


@pytest.mark.parametrize("how", ["a", "w"])
def test_a_file_is_private_new_or_not(tmp_path, how):
    (tmp_path / "old").touch()

    for name in ("new", "old"):
        open_private(tmp_path / name, how).close()
        assert mode(tmp_path / name) == 0o600


def test_what_an_older_version_left_open_is_closed(tmp_path):
    for name in ("auth.log", "auth.log.1"):
        (tmp_path / name).touch()
    tmp_path.chmod(0o755)

    close_to_others(tmp_path)

    assert mode(tmp_path) == 0o700
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_logs_are_private_and_stay_so_when_they_are_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "LOG_SIZE_MAX", 100)
    log = output.ProcessLog("auth", tmp_path / "log", lambda _: None)

    for _ in range(10):
        log.write("x" * 50)
    log.close()

    assert {path.name: mode(path) for path in (tmp_path / "log").iterdir()} == {
        "auth.log": 0o600,
        "auth.log.1": 0o600,
    }


def test_what_tells_of_a_running_stack_is_private(tmp_path):
    instance = Instance(tmp_path / "state")

    with instance.only_starter(), instance.hold():
        instance.write(own_note("http://nowhere"))

        found = {path.name: mode(path) for path in (tmp_path / "state").iterdir()}
    assert found == {"starting": 0o600, "lock": 0o600, "stack.json": 0o600}
    assert mode(tmp_path / "state") == 0o700
