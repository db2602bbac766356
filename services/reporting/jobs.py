from decimal import Decimal

from services.reporting.cache import service as cache
from services.reporting.inventory_value import metrics as value_metrics
from services.reporting.inventory_value.service import total_value
from services.reporting.read_models.service import list_tenants
from services.reporting.reorder_recommendations import metrics as reorder_metrics
from services.reporting.reorder_recommendations.service import count_low
from services.reporting.resources import ReportingResources
from shared.clock import utc_now
from shared.db import Stamp
from shared.jobs import every, run_together, standing_work

CACHE_INTERVAL_S = 15.0
STOCK_INTERVAL_S = 60.0


async def work(resources: ReportingResources) -> None:
    """Run reporting's work outside requests for ever."""

    async def refresh_cache() -> None:
        await cache.refresh_gauges(resources.redis)

    async def refresh_stock() -> None:
        await refresh_stock_gauges(resources)

    await run_together(
        standing_work(resources),
        every(CACHE_INTERVAL_S, "refresh cache gauges", refresh_cache),
        every(STOCK_INTERVAL_S, "refresh stock gauges", refresh_stock),
    )


async def refresh_stock_gauges(resources: ReportingResources) -> None:
    """Sum value and recommendations over all tenants, each in a transaction of its own."""
    async with resources.database.transaction(Stamp(None, "work")) as session:
        tenants = await list_tenants(session)
    values: dict[str, Decimal] = {}
    low = 0
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, "work")) as session:
            total = await total_value(session, resources.own, tenant_id)
            low += await count_low(session, now=utc_now())
        values[total.currency] = values.get(total.currency, Decimal(0)) + total.amount
    value_metrics.set_values(values)
    reorder_metrics.recommendations.set(low)
