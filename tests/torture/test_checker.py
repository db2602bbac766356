"""That the checker sees each sort of violation, in a run that is made up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.torture.checker import violations
from tests.torture.history import Attempt, Happening, History, Operation
from tests.torture.snapshot import Entry, Hold, Row, Snapshot, Transfer

NOW = datetime(2026, 3, 13, 12, tzinfo=UTC)
MOVED = "inventory.stock-moved.v1"
LEVEL = ("item", "place", "lot")


class Run(NamedTuple):
    history: History
    snapshot: Snapshot


def row(seq, quantity, balance, of="m", **more):
    found = Row(
        seq, f"{of}{seq}", 0, "receipt" if quantity > 0 else "issue", *LEVEL, Decimal(quantity),
        Decimal(balance), f"op{seq}", None, NOW + timedelta(seconds=seq),
        NOW + timedelta(seconds=seq),
    )  # fmt: skip
    return found._replace(**more)


def entry(row):
    data = {"movement_id": row.id, "leg": row.leg, "quantity": str(row.quantity)}
    return Entry(f"e{row.seq}", row.seq, "user:1", f"op{row.seq}.0-0", MOVED, data)


def operation(row):
    answer = {"id": row.id, "change": str(row.quantity), "balance_after": str(row.balance_after)}
    done = Attempt(f"op{row.seq}.0-0", 1, 2, 201, answer)
    return Operation(
        f"op{row.seq}", 0, "user:1", "movement", "POST", "/m", {}, attempts=[done]
    )  # fmt: skip


def run(*rows):
    """Return a run in which all is well."""
    held = sum((each.quantity for each in rows), Decimal(0))
    issued = -sum((each.quantity for each in rows if each.kind == "issue"), Decimal(0))
    snapshot = Snapshot(
        rows=list(rows),
        levels={LEVEL: (held, Decimal(0))},
        journal=[entry(each) for each in rows],
        keys={("user:1", f"op{each.seq}") for each in rows},
        followed={"reporting": {LEVEL[:2]: held}},
        trail=[f"e{each.seq}" for each in rows],
        issued=issued,
    )
    return Run(History([operation(each) for each in rows]), snapshot)


@pytest.fixture
def whole():
    return run(row(1, 5, 5), row(2, -2, 3))


def told(history, snapshot):
    return " ".join(violations(history, snapshot))


def test_a_run_without_violationshistoryas_none(whole):
    assert violations(*whole) == []


@pytest.mark.parametrize(
    ("break_it", "name"),
    [
        (lambda it: it.snapshot.levels.update({LEVEL: (Decimal(4), Decimal(0))}), "I1"),
        (lambda it: it.snapshot.levels.update({LEVEL: (Decimal(3), Decimal(4))}), "I2"),
        (lambda it: it.snapshot.rows.pop(), "I3"),
        (lambda it: it.snapshot.journal.pop(), "I7"),
        (lambda it: it.snapshot.journal.append(it.snapshot.journal[0]), "I7"),
        (lambda it: it.snapshot.keys.clear(), "I4"),
        (lambda it: it.snapshot.trail.append("e1"), "I6"),
        (lambda it: it.snapshot.trail.pop(), "I6"),
        (lambda it: it.snapshot.followed["reporting"].clear(), "I6"),
        (lambda it: setattr(it.snapshot, "issued", Decimal(9)), "I6"),
        (lambda it: setattr(it.snapshot, "set_aside", 1), "I6"),
        (lambda it: it.history.operations.pop(), "I3: nobody asked"),
        (
            lambda it: it.history.operations[0].attempts[0].answer.update(change="6"),
            "I3",
        ),
        (
            lambda it: setattr(it.history.operations[0].attempts[0], "status", 500),
            "I11",
        ),
        (
            lambda it: setattr(it.history.operations[0].attempts[0], "fault", "no JSON"),
            "I11",
        ),
        (lambda it: setattr(it.history.operations[0].attempts[0], "ended", 99), "I11"),
        (lambda it: setattr(it.history.operations[0].attempts[0], "status", 409), "I3"),
        (lambda it: setattr(it.history.operations[0], "is_altered", True), "I4"),
        (
            lambda it: it.snapshot.transfers.append(
                Transfer("t", "item", "road", "shop", Decimal(2), None)
            ),
            "I1: 0 in transit",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_told(whole, break_it, name):
    break_it(whole)

    assert name in told(*whole)


def test_what_lay_there_at_an_instant_counts_too():
    late = row(2, -5, 0, occurred_at=NOW - timedelta(hours=1))

    assert "I2: -5 lay" in told(*run(row(1, 5, 5), late))


def test_a_transfer_that_loses_stock_is_told():
    assert "I1: transfer" in told(*run(row(1, 5, 5), row(2, -2, 3, kind="transfer")))


def test_what_two_sendings_did_is_told(whole):
    history, snapshot = whole
    first = history.operations[0]
    first.attempts.append(replace(first.attempts[0], request_id="op2.0-0"))
    history.operations.pop()

    assert "I4: op1 was done 2 times" in told(history, snapshot)


def test_two_answers_under_one_key_are_told(whole):
    history, snapshot = whole
    first = history.operations[0]
    first.attempts.append(Attempt("op1.1-0", 3, 4, 201, {"id": "other"}))

    assert "I4: op1 (movement) had two answers" in told(history, snapshot)


def test_a_refusal_after_the_answer_is_told(whole):
    history, snapshot = whole
    refused = Attempt("op1.1-0", 3, 4, 409, {"code": "c", "title": "t", "request_id": "r"})
    history.operations[0].attempts.append(refused)

    assert "was done, then refused" in told(history, snapshot)


def test_what_was_refused_after_an_unknown_sending_may_be_there(whole):
    history, snapshot = whole
    lost = Attempt("op1.0-0", 0, 1, None, fault="ReadError")
    refused = Attempt("op1.1-0", 3, 4, 409, {"code": "c", "title": "t", "request_id": "r"})
    history.operations[0].attempts[:] = [lost, refused]

    assert violations(history, snapshot) == []


def test_nobody_answers_for_a_front_door_that_is_stopped(whole):
    history, snapshot = whole
    history.operations[0].attempts[0].ended = 99
    history.happenings.append(Happening("stop", "gateway", 1.5, 4))

    assert violations(history, snapshot) == []


@pytest.mark.parametrize(
    "change",
    [{"held": Decimal(1)}, {"committed": Decimal(1), "held": Decimal(1)}, {"expired": Decimal(2)}],
)
def test_ahistoryold_that_is_not_reserved_or_does_not_add_up_is_told(whole, change):
    history, snapshot = whole
    none = Decimal(0)
    hold = Hold("r", "op9", *LEVEL, Decimal(1), none, none, none, none, NOW)
    snapshot.holds.append(hold._replace(**change))

    assert told(history, snapshot)
