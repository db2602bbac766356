from typing import Annotated

from fastapi import Depends, Query

from services.reporting.reorder_recommendations import service
from services.reporting.reorder_recommendations.schemas import ReorderRecommendationPage
from services.reporting.requests import Client
from shared.pagination import InvalidCursor, PageQuery
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires

router = feature_router("/api/reports/reorder-recommendations", "reorder recommendations")

CanReport = Annotated[Principal, Depends(requires("report:read"))]


@router.get("", responses=problems(InvalidCursor))
async def list_reorder_recommendations(
    session: Session,
    client: Client,
    caller: CanReport,
    query: Annotated[PageQuery, Query()],
    language: Language,
    now: Now,
) -> ReorderRecommendationPage:
    """List what to reorder.

    Items with a forecast by what it expects, others by their reorder points.

    A page may be short: go on while there is a `next_cursor`.
    """
    return await service.list_recommendations(
        session, client, query, caller=caller, language=language, now=now
    )
