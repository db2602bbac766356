import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

import pytest

from shared import ids
from shared.ids import new_id

MS = 1_000_000


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets, in ms; the generator starts as in a fresh process."""
    monkeypatch.setattr(ids, "_last_ms", 0)
    monkeypatch.setattr(ids, "_counter", 0)

    def set_to(now_ms: int) -> None:
        monkeypatch.setattr(ids.time, "time_ns", lambda: now_ms * MS)

    return set_to


def milliseconds(identifier) -> int:
    return identifier.int >> 80


def test_an_id_is_a_uuid_of_version_7_that_tells_its_time():
    before = time.time_ns() // MS
    made = new_id()

    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= milliseconds(made) <= time.time_ns() // MS + 1


def test_ids_of_one_moment_ascend(clock):
    clock(1000)

    made = [new_id() for _ in range(1000)]

    assert made == sorted(made)
    assert len(set(made)) == 1000


def test_more_ids_than_a_millisecond_can_count_still_ascend(clock):
    clock(1000)

    made = [new_id() for _ in range(3 * 4096)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert milliseconds(made[-1]) > 1000


def test_a_clock_that_jumps_back_an_hour_does_not_disturb_the_order(clock):
    clock(10_000_000)
    before = [new_id() for _ in range(100)]
    clock(10_000_000 - 3_600_000)

    after = [new_id() for _ in range(5000)]

    assert [*before, *after] == sorted({*before, *after})


def test_a_clock_that_goes_on_is_followed(clock):
    clock(1000)
    new_id()
    clock(2000)

    assert milliseconds(new_id()) == 2000


def test_threads_never_get_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: [new_id() for _ in range(2000)], range(8)))

    assert all(made == sorted(made) for made in lists)
    assert len({identifier for made in lists for identifier in made}) == 16_000
