"""What an operator does with reporting alone: `python -m services.reporting <command>`."""

import json
from collections.abc import Awaitable, Callable, Mapping

from services.reporting.read_models import service as read_models
from services.reporting.resources import ReportingResources
from shared.db import Stamp

ACTOR = "operator"


async def list_stock(resources: ReportingResources) -> str:
    """Return as JSON what the figures are made of: what lies where, of every tenant."""
    async with resources.database.transaction(Stamp(None, ACTOR)) as session:
        tenants = await read_models.list_tenants(session)
    found: dict[str, dict[str, str]] = {}
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, ACTOR)) as session:
            found[str(tenant_id)] = await read_models.list_stock(session)
    return json.dumps(found)


COMMANDS: Mapping[str, Callable[[ReportingResources], Awaitable[str]]] = {"stock": list_stock}
