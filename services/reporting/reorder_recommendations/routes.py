from typing import Annotated

from fastapi import Depends

from services.reporting.reorder_recommendations import service
from services.reporting.reorder_recommendations.schemas import ReorderRecommendationPage
from services.reporting.reorder_recommendations.service import Asked
from services.reporting.resources import Everything
from shared.pagination import LIMIT_DEFAULT, Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.web import Language, Now, feature_router, problems, requires

router = feature_router("/api/reports/reorder-recommendations", "reorder recommendations")

CanReport = Annotated[Principal, Depends(requires("report:read"))]


@router.get("", responses=problems(InvalidCursor))
async def list_recommendations(
    resources: Everything,
    caller: CanReport,
    language: Language,
    now: Now,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> ReorderRecommendationPage:
    """List what to order; `source` says whether from forecasts or from reorder points."""
    asked = Asked(cursor, limit, language, now)
    return await service.list_recommendations(resources, asked, caller=caller)
