import pytest

from tests.torture.history import Attempt, Happening, History, Operation
from tests.torture.restarts import check_restarts, told_meanwhile
from tests.torture.snapshot import Snapshot


def history(status, target="auth", retry_after="1", others=()):
    attempt = Attempt("r", 9.5, 10.5, status, {}, retry_after=retry_after)
    operation = Operation("op", 0, "user:1", "movement", "POST", "/m", attempts=[attempt])
    return History([operation], [Happening("restart", target, 10, 12), *others])


@pytest.mark.parametrize(
    ("status", "target", "is_told"),
    [
        (201, "auth", False),
        (409, "auth", False),
        (503, "auth", False),
        (502, "auth", True),
        (502, "inventory", False),  # Behind a link.
        (None, "inventory", True),
        (None, "gateway", False),
    ],
)
def test_who_is_restarted_loses_no_request(status, target, is_told):
    assert bool([*check_restarts(history(status, target), Snapshot())]) is is_told


def test_what_else_broke_may_have_lost_it():
    others = [Happening("kill", "gateway", 8, 9)]

    assert [*check_restarts(history(None, others=others), Snapshot())] == []


def test_what_was_told_meanwhile_is_counted():
    assert told_meanwhile(history(503)) == {"auth": {"hitches": 1, "503": 1}}
    assert told_meanwhile(history(201)) == {"auth": {"answered": 1}}
