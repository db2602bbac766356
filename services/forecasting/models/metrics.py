"""What operators see of models; read from the database on a timer."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import Gauge
from sqlalchemy import RowMapping

ITEMS_MAX = 500  # Series of the accuracy gauge: the items forecast worst.

accuracy = Gauge(
    "ai_model_accuracy_mape", "Backtest MAPE of the active model.", ["item", "model_type"]
)
active = Gauge("ai_models_active_total", "Active models.", ["model_type"])


def show_active(models: Iterable[RowMapping]) -> None:
    """Set both gauges from (item, model_type, mape), the worst first.

    Items of the same code in several tenants are one series, which shows the worst of them.
    """
    rows = list(models)
    active.clear()
    for model_type, count in Counter(row["model_type"] for row in rows).items():
        active.labels(model_type).set(count)
    accuracy.clear()
    for row in reversed([row for row in rows if row["mape"] is not None][:ITEMS_MAX]):
        accuracy.labels(row["item"], row["model_type"]).set(row["mape"])
