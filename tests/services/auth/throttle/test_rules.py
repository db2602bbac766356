from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.throttle.rules import (
    DELAY_MAX,
    FORGOTTEN_AFTER,
    POLICIES,
    Policy,
    Tally,
    judge,
    known_key,
    network_key,
    network_of,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NONE_YET = Tally(0, NOW, NOW)


def waits(policy: Policy, number: int) -> list[int]:
    """How long each of a row of attempts, made as soon as it can be, keeps the next waiting."""
    tally, now, found = NONE_YET, NOW, []
    for _ in range(number):
        verdict = judge(tally, now, policy)
        assert verdict.allowed
        tally = verdict.tally
        found.append(max(int((tally.blocked_until - now).total_seconds()), 0))
        now = max(tally.blocked_until, now)
    return found


def test_delays_grow_up_to_a_quarter_of_an_hour():
    assert waits(POLICIES["account"], 20) == [0] * 9 + [
        10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900,
    ]  # fmt: skip
    assert waits(POLICIES["code"], 10) == [0, 0, 0, 0, 10, 40, 160, 640, 900, 900]


@pytest.mark.asvs("B03")
def test_no_more_than_ten_codes_are_looked_at_in_a_quarter_of_an_hour():
    start, now, tally, looked_at = NOW, NOW, NONE_YET, 0
    while now - start < timedelta(minutes=15):
        verdict = judge(tally, now, POLICIES["code"])
        looked_at += verdict.allowed
        tally = verdict.tally
        now += timedelta(milliseconds=500)

    assert looked_at <= 10


@pytest.mark.asvs("A07")
@given(st.integers(1, 10_000), st.timedeltas(timedelta(), timedelta(days=30)))
def test_nobody_waits_longer_than_a_quarter_of_an_hour(attempts: int, age: timedelta):
    past = Tally(attempts, NOW - age, NOW - age)
    for policy in POLICIES.values():
        verdict = judge(past, NOW, policy)

        assert verdict.allowed
        assert verdict.tally.blocked_until - NOW <= DELAY_MAX


@given(st.integers(1, 100), st.timedeltas(timedelta(milliseconds=1), DELAY_MAX))
def test_what_comes_too_early_is_refused_and_does_not_count(attempts: int, left: timedelta):
    past = Tally(attempts, NOW - timedelta(minutes=1), NOW + left)

    verdict = judge(past, NOW, POLICIES["account"])

    assert (verdict.allowed, verdict.tally, verdict.begins) == (False, past, False)
    assert NOW + timedelta(seconds=verdict.wait_s(NOW)) >= past.blocked_until
    assert verdict.wait_s(NOW) <= DELAY_MAX.total_seconds()


def test_the_waiting_begins_once():
    tally, begins = NONE_YET, []
    for number in range(30):
        verdict = judge(tally, NOW + number * DELAY_MAX, POLICIES["account"])
        tally = verdict.tally
        begins.append(verdict.begins)

    assert begins.count(True) == 1
    assert begins.index(True) + 1 == POLICIES["account"].free


def test_after_an_hour_without_attempts_all_is_forgotten():
    past = Tally(40, NOW - FORGOTTEN_AFTER, NOW - timedelta(minutes=45))

    assert judge(past, NOW, POLICIES["account"]).tally.attempts == 1
    almost = Tally(40, NOW - FORGOTTEN_AFTER + timedelta(seconds=1), NOW - timedelta(minutes=45))
    assert judge(almost, NOW, POLICIES["account"]).tally.attempts == 41


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_attempts_of_one_subscriber_count_together(address: str, network: str):
    assert network_of(address) == network


def test_keys_tell_nothing_and_are_told_apart():
    one, other = network_key("192.0.2.7", b"a"), network_key("192.0.2.7", b"b")

    assert one != other
    assert known_key(b"x" * 32, one) != known_key(b"y" * 32, one)
    assert len(known_key(b"x" * 32, one)) == len(one) == 32
