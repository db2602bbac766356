"""Work outside requests: loops of a `work` process, and what every service's worker does."""

from shared.jobs.periodic import every, run_together
from shared.jobs.standing import standing_work

__all__ = ["every", "run_together", "standing_work"]
