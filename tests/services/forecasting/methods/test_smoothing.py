import numpy as np
import pytest

from services.forecasting.methods.series import KnownAhead
from services.forecasting.methods.smoothing import IMAPA, TSB


def level(method, series):
    return float(method.fit(series, None).forecast(1, KnownAhead())[0])


@pytest.mark.parametrize("method", [TSB, IMAPA])
def test_regular_intermittent_demand_has_its_mean_as_level(make_series, method):
    assert level(method, make_series([6, 0, 0] * 40)) == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("method", [TSB, IMAPA])
def test_the_forecast_fades_when_an_item_dies(make_series, method):
    alive, dying = [6, 0, 0] * 40, [0] * 60

    assert level(method, make_series(alive + dying)) < 0.5 * level(method, make_series(alive))


@pytest.mark.parametrize("method", [TSB, IMAPA])
def test_days_without_stock_do_not_lower_the_level(make_series, method):
    alive, empty = [6, 0, 0] * 40, [0] * 60

    stocked_out = make_series(alive + empty, censored=range(120, 180))

    assert level(method, stocked_out) == level(method, make_series(alive))


def test_tsb_by_hand(make_series):
    series = make_series([4, 0, 4, 0])

    fitted = TSB.restore({"size": 0.5, "chance": 0.5}, series)

    # Starts at size 4 and chance 0.5; then 0.75, 0.375, 0.6875, 0.34375.
    assert fitted.level == pytest.approx(4 * 0.34375)


def test_imapa_by_hand(make_series):
    series = make_series([0, 2, 0, 2])

    fitted = IMAPA.restore({"weights": [0.5, 0.5]}, series)

    # Days: 1 -> 0.5 -> 1.25 -> 0.625 -> 1.3125; pairs: always 2, so 1 a day.
    assert fitted.level == pytest.approx((1.3125 + 1.0) / 2)


@pytest.mark.parametrize("method", [TSB, IMAPA])
def test_parameters_of_a_shorter_series_are_kept_when_fitting_on(make_series, method):
    earlier = method.fit(make_series([6, 0, 0] * 20), None).to_parameters()

    later = method.fit(make_series([1, 5, 0] * 40), earlier)

    assert later.to_parameters() == earlier


@pytest.mark.parametrize("method", [TSB, IMAPA])
def test_restored_parameters_give_the_same_forecast(make_series, weekly_demand, method):
    series = make_series(weekly_demand(200, level=0.4))
    fitted = method.fit(series, None)

    restored = method.restore(fitted.to_parameters(), series)

    assert np.array_equal(fitted.forecast(28, KnownAhead()), restored.forecast(28, KnownAhead()))
