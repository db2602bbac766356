"""The figures of the dashboard, computed once for everyone of a tenant and kept for a moment."""

import asyncio
from datetime import UTC, datetime

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.dashboard import queries
from services.reporting.dashboard.schemas import (
    DashboardStatsRead,
    KeptFigures,
    MovementCounts,
    MovementsRead,
    TotalValueRead,
)
from services.reporting.freshness import service as freshness
from services.reporting.freshness.rules import FollowedTo, Freshness
from services.reporting.freshness.schemas import FreshnessRead
from services.reporting.inventory_value.rules import may_see_values
from services.reporting.inventory_value.service import total_value
from services.reporting.read_models.rules import PRODUCERS
from services.reporting.resources import ReportingOwn
from shared.http import ServiceClient
from shared.principal import Principal

CACHE_PREFIX = "dashboard"
_KEPT = TypeAdapter(KeptFigures)


async def get_stats(
    session: AsyncSession,
    own: ReportingOwn,
    client: ServiceClient | None,
    *,
    caller: Principal,
    now: datetime,
) -> DashboardStatsRead:
    """Return the tenant's figures, at most as old as the cache keeps them, and how old they are.

    What stock is worth is left out for callers who may not see it.
    """
    figures = await own.cache.get_or_compute(
        CACHE_PREFIX,
        str(caller.tenant_id),
        own.dashboard_ttl_s,
        _KEPT,
        lambda: _compute(session, own, caller, now),
    )
    if not may_see_values(caller.scopes):
        figures.inventory_value = None
    measured = await asyncio.gather(
        *(freshness.measure(client, followed, now=now) for followed in figures.followed)
    )
    fresh = dict(zip(figures.followed, measured, strict=True))
    [stock] = [followed for followed in fresh if followed.producer == freshness.INVENTORY]
    as_of = await freshness.to_as_of(session, stock, fresh[stock])
    return DashboardStatsRead(
        **dict(figures),
        **dict(as_of),
        freshness=[_to_read(followed, found) for followed, found in fresh.items()],
    )


async def _compute(
    session: AsyncSession, own: ReportingOwn, caller: Principal, now: datetime
) -> KeptFigures:
    followed = await freshness.list_followed(session, PRODUCERS)
    stock = await queries.count_stock(session, now.astimezone(UTC).date())
    moved = await queries.count_movements(session, now.date())
    return KeptFigures(
        **stock,
        movements=MovementsRead(
            today=_to_counts({kind: today for kind, today, _ in moved if today}),
            last_7_days=_to_counts({kind: week for kind, _, week in moved}),
        ),
        inventory_value=TotalValueRead.model_validate(
            await total_value(session, own, caller.tenant_id)
        ),
        followed=followed,
    )


def _to_counts(by_kind: dict[str, int]) -> MovementCounts:
    return MovementCounts(total=sum(by_kind.values()), by_kind=by_kind)


def _to_read(followed: FollowedTo, found: Freshness) -> FreshnessRead:
    return FreshnessRead(
        producer=followed.producer,
        status=found.status,
        lag_seconds=found.lag_s,
        applied_at=followed.applied_at,
    )
