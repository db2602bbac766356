"""What operators see of forecasts served."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from shared.metrics import HTTP_BUCKETS_S

UNKNOWN = "none"  # The model type where there is no model.

predicted = Counter("ai_predict_total", "Forecasts asked for.", ["model_type", "status"])
duration = Histogram(
    "ai_predict_duration_seconds", "Time to serve a forecast.", ["model_type"],
    buckets=HTTP_BUCKETS_S,
)  # fmt: skip


class Prediction:
    """One forecast being served; the model's type becomes known on the way."""

    model_type = UNKNOWN


@contextmanager
def observed() -> Iterator[Prediction]:
    """Count and time what the block serves; a failed one by its failure."""
    started, prediction, status = time.perf_counter(), Prediction(), "failed"
    try:
        yield prediction
        status = "succeeded"
    finally:
        predicted.labels(prediction.model_type, status).inc()
        duration.labels(prediction.model_type).observe(time.perf_counter() - started)
