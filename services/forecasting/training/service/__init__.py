"""Training: asked for by people, done item by item in workers."""

from services.forecasting.training.service.items import (
    Assignment,
    adopt_orphans,
    begin,
    fail,
    note_crash,
    succeed,
)
from services.forecasting.training.service.jobs import (
    cancel_job,
    get_job,
    list_jobs,
    read_job,
    request_training,
)

__all__ = [
    "Assignment",
    "adopt_orphans",
    "begin",
    "cancel_job",
    "fail",
    "get_job",
    "list_jobs",
    "note_crash",
    "read_job",
    "request_training",
    "succeed",
]
