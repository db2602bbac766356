import numpy as np
import pytest

from services.forecasting.methods.method import MethodFailed
from services.forecasting.methods.regression import REGRESSION
from services.forecasting.methods.series import KnownAhead


def fit(series):
    return REGRESSION.fit(series, None)


def test_weekday_profile_is_learned(make_series):
    series = make_series([5, 5, 5, 5, 5, 50, 5] * 30)

    forecast = fit(series).forecast(7, KnownAhead())

    assert forecast[5] == pytest.approx(50, rel=0.15)
    assert forecast[0] == pytest.approx(5, rel=0.3)


def test_a_promotion_multiplies_demand(make_series):
    promo = np.zeros(203)
    promo[3::10] = 1
    planned = KnownAhead(regressors={"promo": np.array([0.0, 1.0])})
    series = make_series(10 + 30 * promo, regressors={"promo": promo})

    ordinary, promoted = fit(series).forecast(2, planned)

    assert ordinary == pytest.approx(10, rel=0.1)
    assert promoted == pytest.approx(40, rel=0.3)


def test_a_new_level_is_followed_more_than_half_way(make_series):
    series = make_series([10] * 300 + [20] * 56)

    assert 15 < fit(series).forecast(7, KnownAhead()).mean() < 20


def test_a_public_holiday_is_learned_from_its_country(make_series):
    # Italy, two years from 6 January 2025: demand stops on holidays.
    from services.forecasting.methods.regressors import training_columns  # noqa: PLC0415 - slow to import.

    days = make_series(np.full(730, 10.0), country="IT")
    quantity = 10 * (1 - training_columns(days)["holiday"])
    series = make_series(quantity[:720], country="IT")  # Ends on 26 December 2026.

    forecast = fit(series).forecast(12, KnownAhead())

    assert forecast[5] < 0.8 * forecast[4]  # 1 January against 31 December.


def test_a_regressor_without_future_values_is_refused(make_series):
    series = make_series([10, 20] * 60, regressors={"promo": [0, 1] * 60})

    with pytest.raises(MethodFailed, match="promo"):
        fit(series).forecast(3, KnownAhead())


def test_a_column_that_never_changes_is_left_out(make_series):
    series = make_series([10, 20] * 60, regressors={"promo": [0] * 120})

    assert fit(series).to_parameters() == {"regressors": []}


def test_without_demand_there_is_nothing_to_explain(make_series):
    with pytest.raises(MethodFailed, match="no demand"):
        fit(make_series([0] * 60))


def test_restored_parameters_give_the_same_forecast(make_series, weekly_demand):
    promo = np.resize([0, 0, 1, 0, 0], 600)
    known = KnownAhead(regressors={"promo": np.ones(28)})
    series = make_series(weekly_demand(600), regressors={"promo": promo}, country="IT")
    fitted = fit(series)

    restored = REGRESSION.restore(fitted.to_parameters(), series)

    assert np.array_equal(fitted.forecast(28, known), restored.forecast(28, known))
