from datetime import timedelta

from services.auth.accounts.rules import RETRY, TRIES_MAX, retry_after


def test_an_errand_waits_twice_as_long_each_time_and_is_given_up():
    waits = [retry_after(tries) for tries in range(1, TRIES_MAX + 1)]

    assert waits[:3] == [RETRY, 2 * RETRY, 4 * RETRY]
    assert waits[-2] == timedelta(seconds=320)
    assert waits[-1] is None
    assert retry_after(TRIES_MAX + 1) is None
