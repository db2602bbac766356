import numpy as np
import pytest

from services.forecasting.methods.backtest import backtest, bounded, plan_backtest
from services.forecasting.methods.method import Method
from services.forecasting.methods.naive import SEASONAL_NAIVE
from services.forecasting.methods.series import KnownAhead


class Recorder:
    """A method that remembers what it was given and forecasts the number of its training days."""

    def __init__(self, follows_data):
        self.fitted, self.restored = [], []
        self.method = Method("recorder", self.fit, self.restore, 1, follows_data)

    def fit(self, series, earlier):
        self.fitted.append((len(series), earlier))
        return self.forecaster(series)

    def restore(self, parameters, series):
        self.restored.append((len(series), parameters))
        return self.forecaster(series)

    @staticmethod
    def forecaster(series):
        class Fitted:
            def forecast(self, horizon, known):  # noqa: ARG002  # Protocol.
                return np.full(horizon, float(len(series)))

            def to_parameters(self):
                return {"days": len(series)}

        return Fitted()


def test_origins_stand_back_to_back_at_the_end(make_series):
    plan = plan_backtest(make_series(range(730)), 28, 3)

    assert plan.origins == (646, 674, 702)
    assert plan.actual.shape == (3, 28)
    assert plan.actual.ravel().tolist() == list(range(646, 730))


def test_the_horizon_shrinks_for_a_short_series(make_series):
    plan = plan_backtest(make_series([1] * 20), 28, 3)

    assert plan.origins == (11, 14, 17)


def test_long_horizons_are_judged_on_four_weeks(make_series):
    assert plan_backtest(make_series([1] * 730), 90, 3).horizon == 28


def test_a_series_too_short_for_one_day_is_refused(make_series):
    with pytest.raises(ValueError, match="too short"):
        plan_backtest(make_series([1] * 5), 28, 3)


def test_days_that_say_nothing_about_demand_do_not_count(make_series):
    plan = plan_backtest(make_series([1] * 60, censored=[59]), 5, 3)

    assert np.isnan(plan.actual).sum() == 1


def test_no_method_sees_the_days_it_forecasts(make_series):
    recorder = Recorder(follows_data=False)

    run = backtest(
        recorder.method, make_series([99] * 60), plan_backtest(make_series([99] * 60), 5, 3)
    )

    assert recorder.fitted == [(45, None), (50, {"days": 45}), (55, {"days": 45})]
    assert run.forecast[:, 0].tolist() == [45, 50, 55]
    assert run.parameters == {"days": 45}


def test_a_method_that_follows_data_is_estimated_once(make_series):
    recorder = Recorder(follows_data=True)
    series = make_series([99] * 60)

    backtest(recorder.method, series, plan_backtest(series, 5, 3))

    assert recorder.fitted == [(45, None)]
    assert recorder.restored == [(50, {"days": 45}), (55, {"days": 45})]


def test_a_perfect_week_is_forecast_without_error(make_series):
    series = make_series([1, 2, 3, 4, 5, 6, 7] * 20)
    plan = plan_backtest(series, 14, 3)

    assert np.array_equal(backtest(SEASONAL_NAIVE, series, plan).forecast, plan.actual)


def test_forecasts_stay_between_zero_and_three_times_the_maximum():
    known = KnownAhead(closed=np.array([False, False, False, True]))

    assert bounded(np.array([-1.0, 5.0, 99.0, 5.0]), known, 10.0).tolist() == [0, 5, 30, 0]
