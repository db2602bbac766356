from typing import Annotated

from fastapi import Depends, Query, Request

from services.forecasting.consumption.rules import day_of
from services.forecasting.recommendations import service
from services.forecasting.recommendations.schemas import (
    RecommendationQuery,
    TenantRecommendationQuery,
)
from services.forecasting.requests import resources_of
from shared.contracts.forecasting.recommendations import (
    RecommendationPage,
    TenantRecommendationPage,
)
from shared.db import Stamp
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.requests import request_id_of

router = feature_router("/api/ai/recommendations", "recommendations")
internal_router = service_router("recommendations")

CanRead = Annotated[Principal, Depends(requires("forecast:read"))]
ServiceCanRead = Annotated[ServiceCaller, Depends(service_scope("forecast:read"))]


@router.get("", responses=problems(InvalidCursor))
async def list_recommendations(
    session: Session,
    _caller: CanRead,
    query: Annotated[RecommendationQuery, Query()],
    now: Now,
    language: Language,
) -> RecommendationPage:
    """List what to order.

    With how much of it, and why.
    """
    return await service.list_recommendations(session, query, language=language, today=day_of(now))


@internal_router.get("")
async def list_for_service(
    request: Request,
    caller: ServiceCanRead,
    query: Annotated[TenantRecommendationQuery, Query()],
    now: Now,
    language: Language,
) -> TenantRecommendationPage:
    """The same for another service, which names the tenant it asks for."""
    stamp = Stamp(query.tenant, f"service:{caller.sub}", request_id_of(request))
    async with resources_of(request).database.transaction(stamp) as session:
        return await service.list_for_service(session, query, language=language, today=day_of(now))
