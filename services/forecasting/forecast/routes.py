from typing import Annotated

from fastapi import Depends, Path, Query, Request

from services.forecasting.consumption.errors import ItemNotFound
from services.forecasting.consumption.rules import day_of
from services.forecasting.consumption.schemas import ITEM_IN_PATH, ItemCode
from services.forecasting.forecast import service
from services.forecasting.forecast.errors import ForecastExpired, LocationUnsupported, NotTrained
from services.forecasting.forecast.schemas import ForecastRead
from services.forecasting.requests import OwnSettings, resources_of
from services.forecasting.training.rules import FORECAST_PERIODS_MAX
from shared.principal import Principal
from shared.schemas import ShortText
from shared.web import Language, Now, Session, feature_router, problems, requires

router = feature_router("/api/ai/forecast", "forecast")

CanRead = Annotated[Principal, Depends(requires("forecast:read"))]


@router.get(
    "/{item_code}",
    responses=problems(ItemNotFound, NotTrained, ForecastExpired, LocationUnsupported),
)
async def get_forecast(
    request: Request,
    item_code: Annotated[ItemCode, Path(description=ITEM_IN_PATH)],
    session: Session,
    _caller: CanRead,
    settings: OwnSettings,
    now: Now,
    language: Language,
    periods: Annotated[
        int | None,
        Query(ge=1, le=FORECAST_PERIODS_MAX, description="Days; all there are unless given."),
    ] = None,
    location: Annotated[ShortText | None, Query(description="Not supported yet.")] = None,
) -> ForecastRead:
    """Read the forecast of an item.

    The expected demand from today on, with intervals and accuracy.
    """
    if location is not None:
        raise LocationUnsupported
    return await service.get_forecast(
        session,
        resources_of(request).cache,
        item_code,
        today=day_of(now),
        language=language,
        periods=periods,
        ttl_s=settings.redis_ttl_forecasts,
    )
