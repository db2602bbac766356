"""What operators see of training."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import RowMapping

from services.forecasting.queue import TRAIN
from services.forecasting.training.rules import ModelType

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

trained = Counter("ai_train_total", "Items trained or given up.", ["model_type", "status"])
duration = Histogram(
    "ai_train_duration_seconds", "Time of training one item.", ["model_type"], buckets=BUCKETS_S
)
queued = Gauge("ai_jobs_queued", "Entries that wait in the queue.", ["kind"])
queued.labels(TRAIN)
for _model_type in ModelType:
    trained.labels(_model_type.value, "failed")


def show_queued(counts: Iterable[RowMapping]) -> None:
    """Set the gauge from (kind, count)."""
    found = {TRAIN: 0} | {row["kind"]: row["count"] for row in counts}
    for kind, count in found.items():
        queued.labels(kind).set(count)
