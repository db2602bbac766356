import pytest

from gateway.limiter import LocalLimiter
from gateway.rates import PER_ADDRESS, PER_USER, Rate, Rates
from gateway.routes import ROUTES

NOW_S = 1_764_000_000.0


@pytest.mark.parametrize(
    ("text", "count", "window_s", "interval_us"),
    [
        ("30/minute", 30, 60, 2_000_000),
        ("1000/hour", 1000, 3600, 3_600_000),
        ("1/day", 1, 86_400, 86_400_000_000),
        ("999999999/second", 999_999_999, 1, 1),
    ],
)
def test_a_rate_is_a_number_of_requests_in_a_time(text, count, window_s, interval_us):
    rate = Rate.parse("some", text)

    assert (rate.count, rate.window_s, rate.interval_us) == (count, window_s, interval_us)


@pytest.mark.parametrize("text", ["", "30", "0/minute", "30/fortnight", "-1/minute", "1e3/hour"])
def test_whatever_else_is_no_rate(text):
    with pytest.raises(ValueError, match="is no rate such as 30/minute"):
        Rate.parse("some", text)


def test_every_rate_of_a_route_is_in_the_table_of_those_it_counts_by():
    for route in ROUTES:
        known = PER_ADDRESS if route.access == "public" else {*PER_USER, "default"}
        assert {route.reads, route.writes} <= {*known, "default", "read"}, route.path
        assert route.access != "public" or {route.reads, route.writes} <= {*PER_ADDRESS}


def test_every_rate_is_some_routes():
    used = {rate for route in ROUTES for rate in (route.reads, route.writes)}

    assert {*PER_ADDRESS, *PER_USER} <= used | {"page", "key"}  # Of what is no route.


def test_all_rates_are_scaled():
    (address, _), (sign_in, _) = Rates("1000/hour", 2.5).of_stranger("sign-in", b"")

    assert (address.count, sign_in.count) == (150_000, 75)


def test_what_a_person_or_a_scanner_does_all_day_is_far_from_its_rate():
    """Ten a second by one user is more than any scanner reads."""
    for name in ("read", "stock", "write"):
        assert Rate.parse(name, PER_USER[name]).interval_us <= 10_000


@pytest.mark.asvs("E11")
def test_a_burst_is_let_in_and_then_one_each_interval():
    limiter, rate = LocalLimiter(), Rate.parse("some", "5/minute")

    verdicts = [limiter.judge([(rate, b"a")], NOW_S) for _ in range(6)]

    assert [verdict.is_refused for verdict in verdicts] == [False] * 5 + [True]
    assert [verdict.left for verdict in verdicts] == [4, 3, 2, 1, 0, 0]
    assert verdicts[0].headers() == [
        (b"ratelimit-policy", b'"some";q=5;w=60'), (b"ratelimit", b'"some";r=4;t=12')
    ]  # fmt: skip
    assert verdicts[5].wait_s == 12
    assert limiter.judge([(rate, b"a")], NOW_S + 11.9).is_refused
    assert not limiter.judge([(rate, b"a")], NOW_S + 12).is_refused
    assert limiter.judge([(rate, b"a")], NOW_S + 12).is_refused
    assert not limiter.judge([(rate, b"b")], NOW_S).is_refused


def test_a_refused_request_uses_up_no_other_allowance():
    limiter = LocalLimiter()
    wide, narrow = Rate.parse("wide", "3/minute"), Rate.parse("narrow", "1/hour")

    first = limiter.judge([(wide, b"a"), (narrow, b"a")], NOW_S)
    refused = limiter.judge([(wide, b"a"), (narrow, b"a")], NOW_S)

    assert (first.rate, first.left) == (narrow, 0)
    assert (refused.is_refused, refused.rate, refused.wait_s) == (True, narrow, 3600)
    assert limiter.judge([(wide, b"a")], NOW_S).left == 1


def test_several_processes_share_what_a_stranger_may_and_no_user_feels_it():
    limiter = LocalLimiter(processes=4)
    sign_in, read = Rate.parse("sign-in", "30/minute"), Rate.parse("read", "30/minute")

    guesses = [limiter.judge([(sign_in, b"a")], NOW_S) for _ in range(30)]
    reads = [limiter.judge([(read, b"a")], NOW_S) for _ in range(30)]

    assert sum(not verdict.is_refused for verdict in guesses) == 7
    assert not any(verdict.is_refused for verdict in reads)


def test_what_is_counted_here_is_bounded():
    limiter, rate = LocalLimiter(keys_max=100), Rate.parse("some", "1/minute")
    for number in range(1000):
        limiter.judge([(rate, b"%d" % number)], NOW_S)

    assert len(limiter._until_us) == 100
    assert limiter.judge([(rate, b"999")], NOW_S).is_refused
