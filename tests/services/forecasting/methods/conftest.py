from datetime import date

import numpy as np
import pytest

from services.forecasting.methods.series import DemandSeries, KnownAhead

MONDAY = date(2025, 1, 6)


@pytest.fixture(scope="session")
def make_series():
    """Build a series from its quantities; masks default to none, the start to a Monday."""

    def make(quantity, *, censored=(), closed=(), regressors=None, known=None, country=None):
        values = np.asarray(quantity, dtype=np.float64)
        masks = []
        for days in (censored, closed):
            mask = np.zeros(len(values), dtype=np.bool_)
            mask[list(days)] = True
            masks.append(mask)
        return DemandSeries(
            start=MONDAY,
            quantity=values,
            censored=masks[0],
            closed=masks[1],
            regressors={k: np.asarray(v, dtype=np.float64) for k, v in (regressors or {}).items()},
            known=known or KnownAhead(),
            country=country,
        )

    return make


@pytest.fixture
def weekly_demand():
    """Poisson demand with a weekday profile: `weekly_demand(days, level)`."""

    def make(days, level=10.0, seed=1):
        profile = np.resize([0.5, 0.8, 1.0, 1.0, 1.2, 1.8, 0.7], days)
        return np.random.default_rng(seed).poisson(level * profile).astype(np.float64)

    return make
