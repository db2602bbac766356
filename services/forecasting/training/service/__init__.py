"""Training: asked for by people, done item by item in workers."""

from services.forecasting.training.service.items import (
    Assignment,
    adopt_orphan,
    begin_item,
    count_crash,
    give_up_item,
    keep_model,
)
from services.forecasting.training.service.jobs import (
    cancel_job,
    count_queued,
    get_job,
    list_jobs,
    request_training,
)

__all__ = [
    "Assignment",
    "adopt_orphan",
    "begin_item",
    "cancel_job",
    "count_crash",
    "count_queued",
    "get_job",
    "give_up_item",
    "keep_model",
    "list_jobs",
    "request_training",
]
