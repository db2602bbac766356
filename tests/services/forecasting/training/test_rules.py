from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecasting.consumption.rules import DemandHistory
from services.forecasting.methods.training import MODEL_TYPES
from services.forecasting.training.rules import (
    MESSAGES,
    ErrorCode,
    ModelType,
    State,
    last_training_day,
    progress,
    state_after,
    training_request,
)

HISTORY = DemandHistory(
    date(2026, 1, 1),
    date(2026, 1, 31),
    {date(2026, 1, 2): Decimal("3.5"), date(2026, 1, 3): Decimal(-1)},
    [date(2026, 1, 9)],
)


def test_the_model_types_on_offer_are_the_methods_there_are():
    assert {kind.value for kind in ModelType} == set(MODEL_TYPES)


def test_every_error_has_its_words():
    assert set(MESSAGES) == set(ErrorCode)


def test_today_is_not_trained_on_since_it_is_not_over():
    assert last_training_day(date(2026, 3, 1)) == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("done", "failed", "state"),
    [
        (0, 0, State.RUNNING),
        (2, 2, State.RUNNING),
        (3, 0, State.SUCCEEDED),
        (3, 2, State.SUCCEEDED),
        (3, 3, State.FAILED),
    ],
)
def test_a_job_fails_only_when_every_item_did(done, failed, state):
    assert state_after(done, failed, 3) is state


def test_states_that_end_a_job():
    assert [state.value for state in State if state.is_final] == [
        "succeeded",
        "failed",
        "cancelled",
    ]


@given(st.integers(1, 1000), st.data())
def test_progress_is_a_share_and_one_only_at_the_end(total, data):
    done = data.draw(st.integers(0, total))

    assert 0 <= progress(done, total) <= 1
    assert (progress(done, total) == 1) == (done == total)


def test_a_request_is_plain_and_its_demand_never_negative():
    request = training_request("k", "arima", 28, "IT", HISTORY)

    assert request == {
        "key": "k",
        "model_type": "arima",
        "horizon": 28,
        "demand": {
            "first_day": "2026-01-01",
            "last_day": "2026-01-31",
            "quantity": {"2026-01-02": 3.5, "2026-01-03": 0.0},
            "censored": ["2026-01-09"],
            "country": "IT",
        },
    }
