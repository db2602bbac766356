from errno import ENOSPC

import pytest

from deploy.local.errors import StackError
from deploy.local.instance import Instance, Note

NOTE = Note(pid=42, ready=True, url="http://127.0.0.1:8083", pids={"auth": 43})


def test_nothing_runs_in_a_new_checkout(tmp_path):
    instance = Instance(tmp_path / "local")

    assert not instance.is_held()
    assert instance.find() is None


def test_running_stack_is_found_by_its_note(tmp_path):
    with Instance(tmp_path).hold():
        Instance(tmp_path).write(NOTE)

        assert Instance(tmp_path).find() == NOTE


def test_second_stack_is_refused_and_told_about_the_first(tmp_path):
    first = Instance(tmp_path)
    with first.hold():
        first.write(NOTE)

        with pytest.raises(
            StackError, match=r"Already running \(process 42, http://127.0.0.1:8083"
        ):
            Instance(tmp_path).hold().__enter__()


def test_a_note_for_which_there_was_no_room_is_written_later(tmp_path, monkeypatch):
    instance = Instance(tmp_path)
    with instance.hold():
        with monkeypatch.context() as full:
            full.setattr("deploy.local.instance.open_private", refuse)
            with pytest.raises(OSError, match="No space"):
                instance.write(NOTE)
        instance.write(NOTE)

        assert instance.find() == NOTE


def refuse(*_):
    raise OSError(ENOSPC, "No space left on device")


def test_note_of_a_stack_that_is_gone_counts_for_nothing(tmp_path):
    Instance(tmp_path).write(NOTE)

    assert Instance(tmp_path).find() is None


def test_lock_ends_with_its_holder(tmp_path):
    with Instance(tmp_path).hold():
        pass

    with Instance(tmp_path).hold():
        assert Instance(tmp_path).is_held()
