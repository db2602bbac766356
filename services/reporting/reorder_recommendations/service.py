"""What to order: as forecasting sees it, and by the reorder points while it does not answer."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import httpx
from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.reorder_recommendations import queries
from services.reporting.reorder_recommendations.rules import order_quantity
from services.reporting.reorder_recommendations.schemas import (
    ForecastPage,
    ReorderRecommendationPage,
    ReorderRecommendationRead,
)
from services.reporting.resources import ReportingResources
from shared.db import Stamp
from shared.errors import Unavailable
from shared.i18n import N_, translate
from shared.log import log
from shared.pagination import InvalidCursor, Keyset
from shared.principal import Principal

FORECAST_TIMEOUT_S = 5.0
# A cursor holds forecasting's own, or a code; its sort is the source that the list began with.
BY_FORECAST = Keyset("forecast", str)
BY_REORDER_POINT = Keyset("reorder_point", str)
REASON = N_("{on_hand} on hand, not above the reorder point of {reorder_point}.")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page a caller wants, in which language, and when."""

    cursor: str | None
    limit: int
    language: str
    now: datetime


async def list_recommendations(
    resources: ReportingResources, asked: Asked, *, caller: Principal
) -> ReorderRecommendationPage:
    """Return one page of what to order.

    A list is read to its end from where it began. Raises InvalidCursor, and Unavailable when
    forecasting goes away in the middle of its list.
    """
    began_by_rule = _began_by_rule(asked.cursor)
    forecast = None if began_by_rule else await _ask_forecasting(resources, asked, caller)
    if forecast is None and asked.cursor is not None and not began_by_rule:
        raise Unavailable
    if forecast is not None:
        return _from_forecast(forecast, asked)
    async with resources.database.transaction(Stamp(caller.tenant_id, caller.actor)) as session:
        return await _from_reorder_points(session, asked)


async def count_low(session: AsyncSession) -> int:
    """Return how many items of the session's tenant are at or below their reorder point."""
    return await queries.count_low(session)


def _began_by_rule(cursor: str | None) -> bool:
    """Say whether a list began without a forecast. Raises InvalidCursor."""
    if cursor is None:
        return False
    try:
        BY_REORDER_POINT.after(cursor)
    except InvalidCursor:
        BY_FORECAST.after(cursor)
        return False
    return True


async def _ask_forecasting(
    resources: ReportingResources, asked: Asked, caller: Principal
) -> ForecastPage | None:
    """Return forecasting's page; None when it does not answer or recommends nothing at all.

    Raises InvalidCursor when forecasting refuses the cursor that ours holds.
    """
    if resources.client is None:
        return None
    after = BY_FORECAST.after(asked.cursor)
    wanted = {"tenant": str(caller.tenant_id), "limit": asked.limit, "lang": asked.language}
    if after:
        wanted["cursor"] = after[0]
    try:
        async with asyncio.timeout(FORECAST_TIMEOUT_S):
            answer = await resources.client.get_json(
                "forecasting", "/internal/recommendations", wanted
            )
        page = ForecastPage.model_validate(answer)
    except (Unavailable, TimeoutError, httpx.HTTPError, ValidationError) as error:
        if after and _is_refusal(error):
            raise InvalidCursor from error
        log.warning("recommending without a forecast", reason=type(error).__name__)
        return None
    return page if page.items or page.next_cursor or after else None


def _is_refusal(error: Exception) -> bool:
    return (
        isinstance(error, httpx.HTTPStatusError)
        and error.response.status_code == InvalidCursor.status
    )


def _from_forecast(page: ForecastPage, asked: Asked) -> ReorderRecommendationPage:
    return ReorderRecommendationPage(
        source="forecast",
        as_of=asked.now,
        items=[
            ReorderRecommendationRead.model_validate(item, from_attributes=True)
            for item in page.items
            if item.order_quantity > 0
        ],
        next_cursor=BY_FORECAST.cursor((page.next_cursor,)) if page.next_cursor else None,
    )


async def _from_reorder_points(session: AsyncSession, asked: Asked) -> ReorderRecommendationPage:
    after = BY_REORDER_POINT.after(asked.cursor)
    rows = await queries.list_low(
        session, after_code=after[0] if after else "", limit=asked.limit + 1
    )
    page, next_cursor = BY_REORDER_POINT.page(rows, asked.limit, lambda row: (row["code"],))
    return ReorderRecommendationPage(
        source="reorder_point",
        as_of=asked.now,
        items=[_rule_row(row, asked.language) for row in page],
        next_cursor=next_cursor,
    )


def _rule_row(row: RowMapping, language: str) -> ReorderRecommendationRead:
    quantity = order_quantity(
        row["on_hand"],
        reorder_point=row["reorder_point"],
        reorder_quantity=row["reorder_quantity"],
        par_level=row["par_level"],
        pack_size=row["pack_size"],
    )
    return ReorderRecommendationRead(
        item_code=row["code"],
        name=row["name_fr" if language == "fr" else "name_en"],
        unit=row["unit"],
        on_hand=row["on_hand"],
        reorder_point=row["reorder_point"],
        safety_stock=None,
        order_quantity=quantity,
        order_by=None,
        stock_out_date=None,
        reason=translate(
            REASON, language, on_hand=row["on_hand"].normalize(),
            reorder_point=row["reorder_point"].normalize(),
        ),
    )  # fmt: skip
