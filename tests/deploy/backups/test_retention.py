"""What is removed, and that what is needed never is."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from deploy.backups.manifest import Manifest
from deploy.backups.repository import Repository, write_whole
from deploy.backups.retention import forget_old, remove_unfinished
from deploy.backups.rules import NAME_FORMAT, segment_of, write_lsn
from shared.sealed_files.keys import Keyring
from tests.support.backups import RING

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
MB16 = 2**24


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Nothing here asks what outlives a power cut, and sixty days of files would wait for it."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    return Repository.of(tmp_path / "backups", "7713")


def add_backup(repository, days_ago, timeline=1):
    """A backup of each day is one file of the log further than that of the day before."""
    ended_at = NOW - timedelta(days=days_ago, hours=1)
    name = ended_at.strftime(NAME_FORMAT)
    end_lsn = int(100_000 - 100 * days_ago) * MB16 + 100
    write_whole(repository.base_path(name), b"sealed")
    manifest = Manifest(
        name=name, cluster="7713", timeline=timeline, server_version=180006, segment_bytes=MB16,
        started_at=ended_at, ended_at=ended_at, start_lsn=write_lsn(end_lsn - 50),
        end_lsn=write_lsn(end_lsn), size=6, sha256="", content_size=6, files=1,
        verified_at=ended_at, key_id=RING.current.id,
    )  # fmt: skip
    write_whole(repository.manifest_path(name), manifest.written(RING))
    segment = segment_of(end_lsn, timeline, MB16)
    write_whole(repository.segment_path(segment), b"log")
    return name, segment


def forget(repository, days=7, now=NOW):
    return forget_old(repository, RING, days=days, now=now)


def test_old_ones_go_and_the_log_that_the_daily_ones_need_stays(repository):
    names = [add_backup(repository, days) for days in range(60)]

    removed = forget(repository)

    kept = repository.names()
    assert {name for name, _ in names[:7]} <= set(kept)
    assert 7 + 7 <= len(kept) <= 7 + 8 + 3
    assert sorted(removed.backups) == sorted({name for name, _ in names} - set(kept))
    assert repository.segments(1) == sorted(segment for _, segment in names[:7])
    assert forget(repository).backups == []


def test_a_second_backup_of_a_day_does_not_shorten_what_can_be_restored(repository):
    """The log from the first one on stays, though the second is the newest of its day."""
    segments = [add_backup(repository, days)[1] for days in (0.02, 0.01, 0)]

    removed = forget(repository)

    assert removed.segments == []
    assert repository.segments(1) == sorted(segments)


def test_three_stay_whatever_their_age(repository):
    for days in (0, 1, 2):
        add_backup(repository, days)

    assert forget(repository, days=1).backups == []
    assert len(repository.names()) == 3


@pytest.mark.parametrize("leap", [timedelta(days=365), timedelta(days=-365), timedelta(days=3)])
def test_nothing_goes_when_the_clock_leaps(repository, leap):
    for days in range(60):
        add_backup(repository, days)

    removed = forget(repository, now=NOW + leap)

    assert removed.backups == ()
    assert "clock" in removed.why_not
    assert len(repository.names()) == 60


def test_nothing_goes_after_a_first_backup_on_a_clock_that_leapt(repository):
    for days in range(1, 60):
        add_backup(repository, days)
    add_backup(repository, -365)

    assert "clock" in forget(repository, now=NOW + timedelta(days=365)).why_not
    add_backup(repository, -366)
    forget(repository, now=NOW + timedelta(days=366))  # Trusted again: it has gone on for a day.
    real = [name for name in repository.names() if name < "2027"]
    assert len(real) >= 5 + 7  # Only what its own days, weeks and months give way to.


def test_nothing_goes_while_one_is_not_as_its_manifest_says(repository):
    for days in range(60):
        name, _ = add_backup(repository, days)
    repository.base_path(name).write_bytes(b"cut")

    assert "not there as its manifest says" in forget(repository).why_not
    assert len(repository.names()) == 60


def test_nothing_goes_while_one_cannot_be_read(repository):
    for days in range(60):
        name, _ = add_backup(repository, days)
    write_whole(repository.manifest_path(name), b"{}\n")

    assert forget(repository).why_not
    other = forget_old(repository, Keyring("cd" * 32), days=7, now=NOW)
    assert other.why_not
    assert len(repository.names()) == 60


def test_the_log_of_a_timeline_that_is_over_goes_with_its_last_daily_backup(repository):
    for days in range(20, 40):
        add_backup(repository, days, timeline=1)
    write_whole(repository.partial_path(1), b"partial")
    for days in range(10):
        add_backup(repository, days, timeline=2)

    forget(repository)

    assert repository.segments(1) == []
    assert not repository.partial_path(1).exists()
    assert len(repository.segments(2)) == 7


def test_what_a_killed_run_left_is_removed_and_nothing_else(repository):
    name, segment = add_backup(repository, 0)
    write_whole(repository.base_path("20261119T000000Z"), b"no manifest yet")
    (repository.base_path(name).with_name(".base.tar.sealed.12.part")).write_bytes(b"half")

    remove_unfinished(repository)

    assert [path.name for path in (repository.folder / "base").iterdir()] == [name]
    assert len(list(repository.base_path(name).parent.iterdir())) == 2
    assert repository.segments(1) == [segment]
