"""Work outside requests: loops of a `work` process, and what every service's worker does."""

from shared.jobs.periodic import every, run_together, run_until_told
from shared.jobs.standing import standing_work

__all__ = ["every", "run_together", "run_until_told", "standing_work"]
