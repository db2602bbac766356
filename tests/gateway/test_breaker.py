from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import (
    DOUBT_S,
    FAILURES_MAX,
    OPEN_MAX_S,
    OPEN_MIN_S,
    RECOVERY_S,
    RETRIES_SAVED_MAX,
    RETRY_SHARE,
    Breaker,
    Circuit,
    RetryBudget,
)


def broken(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_MAX):
        breaker.failed(now)
    return breaker


def test_some_failures_in_a_row_open_it_for_a_while():
    breaker = broken()

    assert not breaker.is_closed
    assert not breaker.admits(OPEN_MIN_S - 0.01)
    assert breaker.wait_s(0.25) == OPEN_MIN_S - 0.25


def test_its_state_is_told_as_the_metric_has_it():
    breaker = broken()

    assert Breaker().state(0.0) is Circuit.CLOSED
    assert breaker.state(OPEN_MIN_S / 2) is Circuit.OPEN
    assert breaker.state(OPEN_MIN_S) is Circuit.HALF_OPEN


def test_a_success_in_between_keeps_it_closed():
    breaker = Breaker()
    for _ in range(10):
        for _ in range(FAILURES_MAX - 1):
            breaker.failed(0.0)
        for _ in range(FAILURES_MAX + 3):
            breaker.succeeded(0.0)

    assert breaker.is_closed


def test_mostly_failures_open_it_even_if_some_succeed():
    breaker = Breaker()
    for _ in range(10):
        breaker.failed(1.0)
        breaker.failed(1.0)
        breaker.succeeded(1.0)

    assert not breaker.is_closed


def test_after_a_while_one_tries_and_the_share_grows_with_time():
    breaker = broken()

    assert breaker.admits(OPEN_MIN_S)
    assert not breaker.admits(OPEN_MIN_S)  # Until the first one is back.
    breaker.succeeded(OPEN_MIN_S)
    early = sum(breaker.admits(OPEN_MIN_S + RECOVERY_S * 0.1) for _ in range(100))
    late = sum(breaker.admits(OPEN_MIN_S + RECOVERY_S * 0.9) for _ in range(100))
    assert 9 <= early <= 11
    assert 89 <= late <= 91
    breaker.succeeded(OPEN_MIN_S + RECOVERY_S)
    assert breaker.is_closed


@given(st.integers(1, 20))
def test_each_failed_try_doubles_the_wait_up_to_a_limit(tries):
    breaker, now = broken(), 0.0
    for _ in range(tries):
        now += breaker.wait_s(now)
        assert breaker.admits(now)
        breaker.failed(now)

    assert breaker.wait_s(now) == min(OPEN_MIN_S * 2**tries, OPEN_MAX_S)


def test_a_first_try_that_never_came_back_is_followed_by_another():
    """Its client may have left: then nobody says whether it failed."""
    breaker = broken()
    assert breaker.admits(OPEN_MIN_S)

    assert breaker.admits(OPEN_MIN_S + RECOVERY_S)


@given(st.lists(st.booleans(), max_size=300))
def test_second_tries_are_a_fifth_of_all_at_most(requests):
    budget = RetryBudget()
    tries = 0
    for fails in requests:
        budget.earn()
        tries += fails and budget.spend()

    assert tries <= RETRIES_SAVED_MAX + RETRY_SHARE * len(requests) + 1e-6


def test_once_it_can_be_reached_again_it_gets_its_share():
    breaker = broken()
    assert breaker.admits(OPEN_MIN_S)
    breaker.reached()

    assert sum(breaker.admits(OPEN_MIN_S + RECOVERY_S * 0.5) for _ in range(100)) >= 49


def test_an_instance_that_failed_once_is_asked_again_like_the_others():
    """One that nobody asks could never show that it is well."""
    breaker = Breaker()
    breaker.failed(10.0)

    assert breaker.is_closed
    assert breaker.is_doubtful(10.0 + DOUBT_S - 0.01)
    assert not breaker.is_doubtful(10.0 + DOUBT_S)
    breaker.failed(20.0)
    breaker.succeeded(20.0)
    assert not breaker.is_doubtful(20.0)
