import subprocess
import sys
from datetime import date, timedelta

import pytest

from services.forecasting.fitting.fit import fit

FIRST = date(2026, 1, 1)


def request(days, model_type="seasonal_naive"):
    quantity = {str(FIRST + timedelta(days=n)): float(1 + n % 7) for n in range(days)}
    demand = {
        "first_day": str(FIRST),
        "last_day": str(FIRST + timedelta(days=days - 1)),
        "quantity": quantity,
    }
    return {"key": "k", "model_type": model_type, "horizon": 14, "demand": demand}


def test_a_fit_comes_back_as_plain_data():
    outcome = fit(request(60))

    assert outcome["result"]["model_type"] == "seasonal_naive"
    assert len(outcome["result"]["points"]) == 14


def test_too_little_data_comes_back_with_its_figures():
    error = fit(request(5))["error"]

    assert (error["code"], error["usable_days"]) == ("too_little_data", 5)
    assert error["needed_days"] > 5


@pytest.mark.slow
def test_neither_worker_nor_web_process_imports_the_numeric_libraries():
    program = (
        "import sys; import services.forecasting.app, services.forecasting.jobs, "
        "services.forecasting.followers; "
        "print([m for m in ('numpy', 'pandas', 'prophet', 'scipy', 'statsmodels') "
        "if m in sys.modules])"
    )

    found = subprocess.run(  # noqa: S603 - our own interpreter.
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
