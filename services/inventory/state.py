"""What inventory alone knows of its state: the webhooks that wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.db import OpenFor


async def tell_state(open_for: OpenFor, now: datetime) -> Mapping[str, Any]:
    """Return what `/status` has of inventory alone."""
    from services.inventory.webhooks.service import count_waiting  # noqa: PLC0415 - no command needs it.

    async with open_for(None) as session:
        waiting, lag_s = await count_waiting(session, now=now)
    return {"queues": {"webhooks_waiting": waiting, "webhooks_lag_s": round(lag_s, 1)}}
