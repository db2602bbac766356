"""Forecasts as they were made in training, read from cache or database."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.consumption.errors import ItemNotFound
from services.forecasting.forecast import queries
from services.forecasting.forecast.errors import ForecastExpired, NotTrained
from services.forecasting.forecast.metrics import observed
from services.forecasting.forecast.rules import points_ahead
from services.forecasting.forecast.schemas import ForecastRead
from services.forecasting.models.service import read_assumptions
from shared.cache import Cache
from shared.identifiers import find_id, identifier_key

CACHE_PREFIX = "forecast"
_STORED = TypeAdapter(dict[str, Any])
CACHED_FORM = 2  # What is cached in another form is not read.


async def get_forecast(
    session: AsyncSession,
    cache: Cache,
    named: str,
    *,
    today: date,
    language: str,
    periods: int | None,
    ttl_s: int,
) -> ForecastRead:
    """Return what the active model of the item named by code or id expects from today on.

    For at most `periods` days.

    A model never changes, so what is cached under its id is never out of date.
    Raises ItemNotFound, NotTrained, ForecastExpired.
    """
    with observed() as prediction:
        active = await queries.find_active(
            session, item_id=find_id(named), key=identifier_key(named)
        )
        if active is None:
            raise ItemNotFound(item=named)
        if active["id"] is None:
            raise NotTrained(item=active["code"])
        prediction.model_type = active["model_type"]
        if active["last_day"] < today:
            raise ForecastExpired(item=active["code"], last_day=active["last_day"])
        found = await cache.get_or_compute(
            CACHE_PREFIX,
            f"{CACHED_FORM}:{active['id']}",
            ttl_s,
            _STORED,
            lambda: _stored(session, active["id"]),
        )
        return ForecastRead.model_validate(
            {
                "item_code": active["code"],
                "model": found["model"],
                "points": points_ahead(found["points"], today, periods),
                "accuracy": found["accuracy"],
                "baseline": found["baseline"],
                "assumptions": read_assumptions(found["assumptions"], language),
            }
        )


async def _stored(session: AsyncSession, model_id: UUID) -> dict[str, Any]:
    row = await queries.read_forecast(session, model_id)
    told = ("accuracy", "baseline", "assumptions", "points")
    model = {name: value for name, value in row.items() if name not in told}
    return {"model": model} | {name: row[name] for name in told}
