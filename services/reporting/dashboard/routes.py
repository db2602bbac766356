from typing import Annotated

from fastapi import Depends

from services.reporting.dashboard import service
from services.reporting.dashboard.schemas import DashboardStatsRead
from services.reporting.requests import Client, Own
from shared.principal import Principal
from shared.web import Now, Session, feature_router, requires

router = feature_router("/api/dashboard", "dashboard")

CanReport = Annotated[Principal, Depends(requires("report:read"))]


@router.get("/stats")
async def get_dashboard_stats(
    session: Session, own: Own, client: Client, caller: CanReport, now: Now
) -> DashboardStatsRead:
    """Read the figures of the dashboard.

    Stock, movements and value in sum; kept for a minute, `as_of` says from when.
    """
    return await service.get_stats(session, own, client, caller=caller, now=now)
