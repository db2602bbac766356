import gc
from collections.abc import Iterator

import pytest

from shared.collector import THRESHOLDS, calm_collector


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_a_calm_collector_looks_rarely_and_not_at_what_is_loaded():
    calm_collector()

    assert gc.get_threshold() == THRESHOLDS
    assert gc.get_freeze_count() > 0
    assert gc.isenabled()
