from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from services.forecasting.consumption.rules import day_of
from services.forecasting.recommendations import service
from services.forecasting.recommendations.schemas import RecommendationPage
from services.forecasting.recommendations.service import View
from shared.db import Stamp
from shared.pagination import LIMIT_DEFAULT, LIMIT_MAX, Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.requests import get_resources, request_id_of

router = feature_router("/api/ai/recommendations", "recommendations")
internal_router = service_router("recommendations")

CanRead = Annotated[Principal, Depends(requires("forecast:read"))]
ServiceCanRead = Annotated[ServiceCaller, Depends(service_scope("forecast:read"))]
Everything = Annotated[
    bool, Query(alias="all", description="Also items of which nothing is to be ordered now.")
]


@router.get("", responses=problems(InvalidCursor))
async def list_recommendations(
    session: Session,
    _caller: CanRead,
    now: Now,
    language: Language,
    everything: Everything = False,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> RecommendationPage:
    """List what to order now, how much of it, and why."""
    view = View(day_of(now), language, everything)
    return await service.list_recommendations(session, view, cursor=cursor, limit=limit)


@internal_router.get("")
async def list_for_service(
    request: Request,
    tenant: UUID,
    caller: ServiceCanRead,
    now: Now,
    language: Language,
    everything: Everything = False,
    cursor: Cursor = None,
    limit: Limit = LIMIT_MAX,
) -> RecommendationPage:
    """The same for another service, which names the tenant it asks for."""
    stamp = Stamp(tenant, f"service:{caller.sub}", request_id_of(request))
    async with get_resources(request).database.transaction(stamp) as session:
        view = View(day_of(now), language, everything)
        return await service.list_recommendations(session, view, cursor=cursor, limit=limit)
