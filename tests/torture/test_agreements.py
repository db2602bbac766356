"""That the checker sees what is wrong with what several people did, in runs that are made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.torture.agreements import (
    check_approvals,
    check_counts,
    check_durations,
    check_freezes,
    check_periods,
)
from tests.torture.checker import check_assemblies, check_serials
from tests.torture.history import History
from tests.torture.snapshot import Approval, CountLine, Entry, Row, Snapshot

NOW = datetime(2026, 3, 13, 12, tzinfo=UTC)
LEVEL = ("item", "place", "lot")


def row(seq, quantity, of=None, level=LEVEL, **more):
    at = NOW + timedelta(seconds=seq)
    found = Row(
        seq, of or f"m{seq}", 0, "receipt", *level, Decimal(quantity), Decimal(0), None, None,
        at, at,
    )  # fmt: skip
    return found._replace(**more)


def entry(seq, name, **data):
    return Entry(f"e{seq}", seq, "user:1", f"op{seq}", f"inventory.{name}.v1", data)


def told(check, snapshot):
    return " ".join(check(History(), snapshot))


@pytest.fixture
def counted():
    """Return what lies there once a count of five was posted; two came since."""
    correction = row(3, -1, "c", kind="count_correction", reference="count")
    correction = correction._replace(occurred_at=NOW + timedelta(seconds=1))
    line = CountLine("count", *LEVEL, Decimal(5), correction.occurred_at, "c")
    return Snapshot(
        rows=[row(1, 6), row(2, 2), correction],
        counts={"count": "posted"},
        count_lines={"count": [line]},
        journal=[entry(4, "count-posted", count_id="count")],
    )


def test_a_count_that_was_posted_once_is_as_it_should_be(counted):
    assert told(check_counts, counted) == ""


@pytest.mark.parametrize(
    "break_it",
    [
        lambda it: it.counts.update(count="cancelled"),
        lambda it: it.journal.append(it.journal[0]),
        lambda it: it.journal.clear(),
        lambda it: it.rows.pop(),
        lambda it: it.rows.append(it.rows[2]._replace(seq=9, id="other")),
        lambda it: it.rows.__setitem__(1, it.rows[1]._replace(occurred_at=NOW)),
        lambda it: it.counts.clear(),
    ],
)
def test_each_thing_that_is_wrong_with_a_count_is_told(counted, break_it):
    break_it(counted)

    assert told(check_counts, counted)


@pytest.fixture
def approved():
    return Snapshot(
        rows=[row(1, -5)],
        approvals=[Approval("a", "approved", "one", "two", ["m1"], {LEVEL: Decimal(-5)})],
        journal=[entry(2, "approval-approved", approval_id="a")],
    )


def test_what_was_approved_and_done_once_is_as_it_should_be(approved):
    assert told(check_approvals, approved) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"decider_id": "one"},
        {"state": "rejected"},
        {"state": "open"},
        {"movements": []},
        {"movements": ["m1", "m1"]},
        {"asked": {LEVEL: Decimal(-4)}},
    ],
)
def test_each_thing_that_is_wrong_with_an_approval_is_told(approved, change):
    approved.approvals[0] = approved.approvals[0]._replace(**change)

    assert told(check_approvals, approved)


def test_an_approval_that_was_given_twice_is_told(approved):
    approved.journal.append(entry(3, "approval-approved", approval_id="a"))

    assert "did not end so once" in told(check_approvals, approved)


def frozen(scope, line, **target):
    both = {"item_id": None, "location_id": None} | target
    return Snapshot(
        parents={"bin": "place", "place": None},
        journal=[
            entry(2, "stock-moved", **line),
            entry(5, "freeze-lifted", freeze_id="f"),
            entry(1, "stock-frozen", freeze_id="f", scope=scope, **both),
            entry(6, "stock-moved", **line),
        ],
    )


@pytest.mark.parametrize(
    ("scope", "target", "line", "is_told"),
    [
        ("everything", {}, ("x", "y"), True),
        ("item", {"item_id": "i"}, ("i", "y"), True),
        ("item", {"item_id": "i"}, ("x", "y"), False),
        ("location", {"location_id": "place"}, ("x", "bin"), True),
        ("location", {"location_id": "bin"}, ("x", "place"), False),
    ],
)
def test_what_moved_through_a_freeze_is_told(scope, target, line, is_told):
    item, place = line
    snapshot = frozen(scope, {"item_id": item, "location_id": place}, **target)

    assert told(check_freezes, snapshot).count("went through") == is_told


def test_what_was_reserved_through_a_freeze_is_told():
    snapshot = frozen("everything", {})
    snapshot.journal[0] = entry(2, "stock-reserved", lines=[{"item_id": "i", "location_id": "p"}])
    snapshot.journal.pop()

    assert "went through" in told(check_freezes, snapshot)


@pytest.mark.parametrize(
    ("day", "seq", "is_told"), [(10, 3, True), (11, 3, False), (10, 1, False), (10, 6, False)]
)
def test_what_was_recorded_in_a_closed_period_is_told(day, seq, is_told):
    at = datetime(2026, 3, day, 23, 59, tzinfo=UTC).isoformat()
    snapshot = Snapshot(
        journal=[
            entry(2, "period-closed", period_id="p", last_day="2026-03-10"),
            entry(5, "period-reopened", period_id="p"),
            entry(seq, "stock-moved", occurred_at=at),
        ]
    )

    assert bool(told(check_periods, snapshot)) is is_told


@pytest.mark.parametrize("seconds", [0, 1, -1])
def test_what_ended_before_it_began_is_told(seconds):
    snapshot = Snapshot(spans=[("count", NOW, NOW + timedelta(seconds=seconds))])

    assert bool(told(check_durations, snapshot)) is (seconds < 0)


@pytest.mark.parametrize("taken", [-4, -3, 0])
def test_an_assembly_that_takes_too_much_or_too_little_is_told(taken):
    kit, part = ("kit", "place", "lot"), ("part", "place", "lot")
    rows = [row(1, taken, "p", part, part_of="k")] * bool(taken) + [
        row(2, 2, "k", kit, part_of="k")
    ]
    snapshot = Snapshot(rows=rows, kits={"kit": {"part": Decimal(2)}})

    assert bool(told(check_assemblies, snapshot)) is (taken != -4)


def test_a_serial_in_two_places_is_told_also_of_the_past():
    here, there = ("item", "here", "s"), ("item", "there", "s")
    moved = [row(2, -1, "t", here), row(2, 1, "t", there)]
    whole = Snapshot(rows=[row(1, 1, level=here), *moved], serials={"s"})
    twice = Snapshot(rows=[row(1, 1, level=here), row(2, 1, level=there)], serials={"s"})
    early = row(4, 1, level=there, occurred_at=NOW + timedelta(seconds=2))
    then = Snapshot(
        rows=[row(1, 1, level=here), row(3, -1, level=here), early], serials={"s"}
    )  # fmt: skip

    assert told(check_serials, whole) == ""
    assert "I2: 2 of the serial" in told(check_serials, twice)
    assert "I2: 2 of the serial" in told(check_serials, then)
