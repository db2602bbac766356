"""What auth alone knows of the installation's state: backups, and mails that wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.auth.backups import service as backups
from services.auth.mail import service as mail
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import OpenFor


async def tell_state(open_for: OpenFor, now: datetime) -> Mapping[str, Any]:
    """Return what `/status` has of auth alone."""
    async with open_for(DEFAULT_TENANT_ID) as session:
        return {
            "backups": await backups.get_report(session, now),
            "queues": {"mails_due": await mail.count_due(session, now=now)},
        }


async def tell_health(open_for: OpenFor, now: datetime) -> Mapping[str, str]:
    """Return what `/health` has of auth alone."""
    async with open_for(DEFAULT_TENANT_ID) as session:
        return {"backup": await backups.get_state(session, now)}
