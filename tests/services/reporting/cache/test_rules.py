import pytest

from services.reporting.cache.rules import hit_rate


@pytest.mark.parametrize(
    ("hits", "misses", "rate"), [(0, 0, None), (3, 1, 0.75), (0, 5, 0.0), (2, 1, 0.6667)]
)
def test_hit_rate_is_the_share_of_look_ups_that_found_something(hits, misses, rate):
    assert hit_rate(hits, misses) == rate
