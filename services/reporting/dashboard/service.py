"""The figures of the dashboard, computed once for everyone of a tenant and kept for a moment."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import RowMapping

from services.reporting.dashboard import queries
from services.reporting.dashboard.rules import (
    Freshness,
    counted,
    first_day_shown,
    freshness_of,
)
from services.reporting.dashboard.schemas import (
    DashboardStatsRead,
    FreshnessRead,
    MovementCounts,
    MovementsRead,
    TotalValueRead,
)
from services.reporting.inventory_value.rules import may_see_values
from services.reporting.inventory_value.service import total_value
from services.reporting.read_models.rules import PRODUCERS
from services.reporting.resources import ReportingResources
from shared.db import Stamp
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.journal import JournalEntry
from shared.principal import Principal

CACHE_PREFIX = "dashboard"
FRESHNESS_TIMEOUT_S = 1.0


async def read_stats(
    resources: ReportingResources, caller: Principal, *, now: datetime
) -> DashboardStatsRead:
    """Return the tenant's figures, at most as old as the cache keeps them.

    What stock is worth is left out for callers who may not see it.
    """
    own = resources.own

    async def compute() -> dict[str, Any]:
        return (await _compute(resources, caller, now)).model_dump(mode="json")

    found = await own.cache.get_or_compute(
        CACHE_PREFIX, str(caller.tenant_id), own.dashboard_ttl_s, compute
    )
    stats = DashboardStatsRead.model_validate(found)
    if not may_see_values(caller.scopes):
        stats.inventory_value = None
    return stats


async def _compute(
    resources: ReportingResources, caller: Principal, now: datetime
) -> DashboardStatsRead:
    stamp = Stamp(caller.tenant_id, caller.actor)
    today = now.date()
    async with resources.database.transaction(stamp) as session:
        stock = await queries.count_stock(session)
        days = await queries.list_days(session, first_day_shown(today))
        value = await total_value(session, resources.own, caller.tenant_id)
        cursors = await queries.list_cursors(session, PRODUCERS)
    of_today, of_week = counted(days, today)
    return DashboardStatsRead(
        as_of=now,
        **stock,
        movements=MovementsRead(today=_counts(of_today), last_7_days=_counts(of_week)),
        inventory_value=TotalValueRead.model_validate(value),
        freshness=await asyncio.gather(
            *(_freshness(resources.client, cursor, now) for cursor in cursors)
        ),
    )


def _counts(by_kind: dict[str, int]) -> MovementCounts:
    return MovementCounts(total=sum(by_kind.values()), by_kind=by_kind)


async def _freshness(
    client: ServiceClient | None, cursor: RowMapping, now: datetime
) -> FreshnessRead:
    found = await _measure(client, cursor, now)
    return FreshnessRead(
        producer=cursor["producer"],
        status=found.status,
        lag_seconds=found.lag_seconds,
        applied_at=cursor["applied_at"],
    )


async def _measure(client: ServiceClient | None, cursor: RowMapping, now: datetime) -> Freshness:
    """Ask the producer for the first entry that is not in the read models yet."""
    unknown = Freshness("unknown", None)
    if client is None:
        return unknown
    after = {"after_xid": cursor["xid"], "after_seq": cursor["seq"], "limit": 1}
    try:
        async with asyncio.timeout(FRESHNESS_TIMEOUT_S):
            page = await client.get_json(cursor["producer"], "/internal/journal", after)
    except (Unavailable, TimeoutError, httpx.HTTPError):
        return unknown
    left = [JournalEntry.model_validate(entry).recorded_at for entry in page["entries"]]
    return freshness_of(min(left, default=None), now)
