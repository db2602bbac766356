"""What forecasting alone knows of its state: the jobs that wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.db import OpenFor


async def tell_state(open_for: OpenFor, _now: datetime) -> Mapping[str, Any]:
    """Return what `/status` has of forecasting alone."""
    from services.forecasting.training.service import count_queued  # noqa: PLC0415 - no command needs it.

    async with open_for(None) as session:
        return {"queues": {"jobs_queued": await count_queued(session)}}
