import json
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.users.rules import SCOPES
from services.inventory.webhooks.rules import (
    ASKED_MAX,
    DISABLED_AFTER,
    EVENTS,
    OWNER_ROLES,
    PING,
    RETRY_MAX,
    TRIES_MAX,
    asked_wait,
    is_given_up,
    public_data,
    retry_after,
    sign,
    write_payload,
)

NOW = datetime(2026, 11, 28, tzinfo=UTC)
# Fields whose content is sealed or hashed somewhere, and the events that may tell theirs.
TOLD = {
    "auth.user-role-changed.v1",
    "auth.user-locations-changed.v1",
    "auth.tenant-changed.v1",
}


def test_a_signature_is_that_of_standard_webhooks():
    """The reference vector of the specification's own libraries."""
    signature = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_no_event_tells_what_is_sealed():
    hidden = {"before", "after", "account", "network", "amount"}

    told = {name for name, fields in EVENTS.items() if hidden & set(fields)}
    assert told <= TOLD
    assert not [field for fields in EVENTS.values() for field in fields if "sealed" in field]


def test_events_come_from_every_service_that_has_flows():
    assert {name.split(".")[0] for name in EVENTS} == {
        "auth", "forecasting", "inventory", "reporting",
    }  # fmt: skip
    for name in (
        "inventory.stock-moved.v1",
        "auth.user-signed-in.v1",
        "forecasting.job-finished.v1",
    ):
        assert name in EVENTS
    assert PING not in EVENTS


def test_fields_that_this_release_does_not_know_stay_inside():
    entry = {"category_id": "c", "name_en": "Tea", "name_fr": "Thé", "margin": "0.4"}

    assert public_data("inventory.category-removed.v1", entry) == {
        "category_id": "c", "name_en": "Tea", "name_fr": "Thé",
    }  # fmt: skip


def test_a_payload_says_what_when_and_which():
    payload = write_payload("a.b.v1", "2026-11-28T10:00:00+00:00", 7, {"x": "é"})

    assert json.loads(payload) == {
        "type": "a.b.v1", "timestamp": "2026-11-28T10:00:00+00:00", "sequence": 7,
        "data": {"x": "é"},
    }  # fmt: skip


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=TRIES_MAX, max_size=TRIES_MAX))
def test_retries_go_on_for_about_a_day_ever_more_slowly(jitters):
    waits = [retry_after(tries, jitter) for tries, jitter in enumerate(jitters, start=1)]

    assert waits.pop() is None
    assert timedelta(hours=20) < list(accumulate(waits))[-1] < timedelta(hours=32)
    assert waits[0] <= timedelta(seconds=6)
    assert max(waits) <= RETRY_MAX * 1.2
    assert all(later > earlier for earlier, later in pairwise(waits[:7]))


def test_what_failed_for_days_is_given_up():
    assert is_given_up(NOW - DISABLED_AFTER, NOW)
    assert not is_given_up(NOW - DISABLED_AFTER + timedelta(seconds=1), NOW)


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120),
        (503, " 0 ", 0),
        (503, "Sat, 28 Nov 2026 01:00:00 GMT", 3600),
        (503, "Sat, 28 Nov 2026 01:00:00 -0000", 3600),
        (503, "Fri, 27 Nov 2026 23:00:00 GMT", -3600),
        (429, "9" * 5000, 86400),
    ],
)
def test_a_receiver_says_when_to_come_back_in_seconds_or_by_a_date(status, header, seconds):
    assert asked_wait(status, header, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "header"),
    [(429, None), (429, ""), (500, "120"), (200, "120"), (503, "soon"), (503, "-5"), (503, "1.5"),
     (503, "²"), (503, "Sat, 99 Nov 2026 01:00:00 GMT"), (503, "Sat, 28 Nov 99999 01:00:00 GMT")],
)  # fmt: skip
def test_what_says_no_time_is_not_heeded(status, header):
    assert asked_wait(status, header, NOW) is None


@given(st.text(max_size=40))
def test_no_header_is_a_fault(header):
    asked_wait(503, header, NOW)


@given(st.integers(1, TRIES_MAX - 1), st.floats(0, 0.99), st.integers(-(10**6), 10**6))
def test_who_asks_is_left_alone_for_so_long_and_never_less_than_usual(tries, jitter, asked_s):
    wait, usual = retry_after(tries, jitter, timedelta(seconds=asked_s)), retry_after(tries, jitter)

    assert wait == max(usual, min(timedelta(seconds=asked_s), ASKED_MAX))


def test_those_who_may_own_webhooks_are_those_who_may_add_them():
    assert {role for role, scopes in SCOPES.items() if "ops:write" in scopes} == OWNER_ROLES
