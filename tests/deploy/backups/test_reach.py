"""Which moments can be restored: by what lies there, without opening it."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.backups.errors import NotReachable, SegmentMissing
from deploy.backups.manifest import Manifest
from deploy.backups.reach import Reach, choose, describe, intervals

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(hours):
    return NOON + timedelta(hours=hours)


def reach(ended, until=None, missing=None):
    """A backup that ended so many hours after noon, and what leads on from it."""
    backup = Manifest(
        name=at(ended).strftime("%Y%m%dT%H%M%SZ"), cluster="7713", timeline=1,
        server_version=180006, segment_bytes=2**24, started_at=at(ended), ended_at=at(ended),
        start_lsn="0/1000028", end_lsn="0/1000100", size=1, sha256="", content_size=1, files=1,
        verified_at=at(ended), key_id="",
    )  # fmt: skip
    last = ended if until is None else until
    return Reach(backup, at(last), "0/5000000", missing=missing)


def test_intervals_that_overlap_are_one():
    found = [reach(0, 30), reach(24, 30), reach(-48), reach(40, 41)]

    assert intervals(found) == [(at(-48), at(-48)), (at(0), at(30)), (at(40), at(41))]
    assert describe(found) == (
        "2026-11-18T12:00:00.000000Z, 2026-11-20T12:00:00.000000Z to 2026-11-21T18:00:00.000000Z, "
        "2026-11-22T04:00:00.000000Z to 2026-11-22T05:00:00.000000Z"
    )


@pytest.mark.parametrize(
    ("moment", "from_backup"), [(0, 0), (23.9, 0), (24, 24), (29, 24), (-48, -48), (None, 24)]
)
def test_the_newest_backup_that_ended_before_leads_there(moment, from_backup):
    found = [reach(24, 30), reach(0, 30), reach(-48)]

    chosen = choose(found, None if moment is None else at(moment))

    assert chosen.backup.ended_at == at(from_backup)


@pytest.mark.parametrize("moment", [-49, -47, -0.1, 30.1])
def test_a_moment_that_nothing_leads_to_is_refused_with_those_that_can_be_had(moment):
    found = [reach(24, 30), reach(0, 30), reach(-48)]

    with pytest.raises(NotReachable, match="Reachable: 2026-11-18T12"):
        choose(found, at(moment))


def test_a_later_moment_is_worth_trying_where_more_was_received():
    assert choose([reach(0, 30)], at(30.1), has_more=True).until == at(30)


def test_a_gap_is_named_and_ends_nothing_before_it():
    found = [reach(0, 30), reach(24, missing="000000010000000000000007")]

    with pytest.raises(SegmentMissing, match="000000010000000000000007"):
        choose(found, None)
    with pytest.raises(SegmentMissing):
        choose(found, at(25))
    assert choose(found, at(20)).backup.ended_at == at(0)
    assert choose(found, at(24)).backup.ended_at == at(24)


def test_where_there_is_no_backup_it_says_how_to_make_one():
    with pytest.raises(NotReachable, match="make backup"):
        choose([], None)
