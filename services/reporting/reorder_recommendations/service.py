"""What to order: by its forecast each item that has one, others by their reorder points."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime

import httpx
from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.freshness.schemas import AsOf
from services.reporting.freshness.service import find_as_of
from services.reporting.reorder_recommendations import queries
from services.reporting.reorder_recommendations.rules import order_quantity
from services.reporting.reorder_recommendations.schemas import (
    ReorderRecommendationPage,
    ReorderRecommendationRead,
    Source,
)
from shared.contracts.forecasting import recommendations as forecasting
from shared.contracts.forecasting.recommendations import (
    RecommendationRead,
    TenantRecommendationPage,
)
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.i18n import N_, translate
from shared.log import log
from shared.pagination import InvalidCursor, Keyset, PageQuery
from shared.principal import Principal

FORECAST_TIMEOUT_S = 5.0
# Both are orders by code; the sort of a cursor is the source that its list began with.
BY_FORECAST = Keyset("forecast", str)
BY_REORDER_POINT = Keyset("reorder_point", str)
NO_FORECASTS = TenantRecommendationPage(
    items=[], without_order=[], expired=0, as_of=None, incomplete=False, next_cursor=None
)
REASON = N_("{on_hand} on hand, not above the reorder point of {reorder_point}.")
REASON_EXPIRED = N_(
    "{available} available, since the rest of {on_hand} on hand has expired: not above the reorder "
    "point of {reorder_point}."
)


async def list_recommendations(
    session: AsyncSession,
    client: ServiceClient | None,
    query: PageQuery,
    *,
    caller: Principal,
    language: str,
    now: datetime,
) -> ReorderRecommendationPage:
    """Return one page of what to order.

    A list is read to its end from where it began. Raises InvalidCursor, and Unavailable when
    forecasting goes away in the middle of its list.
    """
    began_with, after_code = _place_of(query.cursor)
    as_of = await find_as_of(session, client, now=now)
    forecast, source = NO_FORECASTS, BY_REORDER_POINT
    if began_with != "reorder_point":
        asked = _asked(caller, after_code, query.limit, language)
        found = await _ask_forecasting(client, asked)
        if found is None and began_with == "forecast":
            raise Unavailable
        if found is not None and (began_with == "forecast" or not _is_empty(found)):
            forecast, source, as_of = found, BY_FORECAST, _older(as_of, found)
    rows, until = await _list_to_order(
        session, forecast, after_code, today=now.astimezone(UTC).date(), limit=query.limit
    )
    page, next_cursor = source.page(rows, query.limit, lambda row: (row["code"],))
    by_code = {item.item_code: item for item in forecast.items}
    return ReorderRecommendationPage(
        **dict(as_of),
        source="forecast" if source is BY_FORECAST else "reorder_point",
        items=[
            _by_forecast(by_code[row["code"]])
            if row["by_forecast"]
            else _by_reorder_point(row, language)
            for row in page
        ],
        next_cursor=source.cursor(until) if until and next_cursor is None else next_cursor,
    )


async def count_low(session: AsyncSession, *, now: datetime) -> int:
    """Return how many items of the session's tenant are at or below their reorder point."""
    return await queries.count_low(session, now.astimezone(UTC).date())


def _place_of(cursor: str | None) -> tuple[Source | None, str]:
    """Return with which source a list began and after which code it goes on.

    Raises InvalidCursor.
    """
    if cursor is None:
        return None, ""
    try:
        after = BY_REORDER_POINT.after(cursor)
    except InvalidCursor:
        after = BY_FORECAST.after(cursor)
        return "forecast", after[0] if after else ""
    return "reorder_point", after[0] if after else ""


def _asked(caller: Principal, after_code: str, limit: int, language: str) -> dict[str, str | int]:
    asked: dict[str, str | int] = {
        "tenant": str(caller.tenant_id), "limit": limit, "lang": language,
    }  # fmt: skip
    if after_code:
        asked["cursor"] = forecasting.BY_CODE.cursor((after_code,))
    return asked


async def _ask_forecasting(
    client: ServiceClient | None, asked: dict[str, str | int]
) -> TenantRecommendationPage | None:
    """Return forecasting's page; None when it does not answer."""
    if client is None:
        return None
    try:
        async with asyncio.timeout(FORECAST_TIMEOUT_S):
            answer = await client.get_json("forecasting", forecasting.PATH, asked)
        return TenantRecommendationPage.model_validate(answer)
    except (Unavailable, TimeoutError, httpx.HTTPError, ValidationError) as error:
        log.warning("recommending without a forecast", reason=type(error).__name__)
        return None


def _is_empty(page: TenantRecommendationPage) -> bool:
    """Say whether nothing has a forecast: then there are reorder points alone."""
    return not (page.items or page.without_order or page.next_cursor)


def _older(as_of: AsOf, forecast: TenantRecommendationPage) -> AsOf:
    """Return how old a list is that comes from here and from forecasting: as its older part."""
    both = [moment for moment in (as_of.as_of, forecast.as_of) if moment is not None]
    return as_of.model_copy(
        update={
            "as_of": min(both) if len(both) == 2 else None,  # noqa: PLR2004 - of two.
            "incomplete": as_of.incomplete or forecast.incomplete,
        }
    )


async def _list_to_order(
    session: AsyncSession,
    forecast: TenantRecommendationPage,
    after_code: str,
    *,
    today: date,
    limit: int,
) -> tuple[Sequence[RowMapping], tuple[str] | None]:
    """Return items to order in the order of codes, and how far forecasting looked at them.

    One row more than the limit, if there is one; None: to the end.
    """
    until = forecasting.BY_CODE.after(forecast.next_cursor)
    rows = await queries.list_to_order(
        session,
        after_code=after_code,
        until_code=until[0] if until else None,
        by_forecast=[item.item_code for item in forecast.items if item.order_quantity > 0],
        looked_at=[*forecast.without_order, *(item.item_code for item in forecast.items)],
        today=today,
        limit=limit + 1,
    )
    return rows, until


def _by_forecast(item: RecommendationRead) -> ReorderRecommendationRead:
    return ReorderRecommendationRead.model_validate({**dict(item), "source": "forecast"})


def _by_reorder_point(row: RowMapping, language: str) -> ReorderRecommendationRead:
    on_hand, available = row["on_hand"], row["available"]
    quantity = order_quantity(
        available,
        reorder_point=row["reorder_point"],
        reorder_quantity=row["reorder_quantity"],
        par_level=row["par_level"],
        pack_size=row["pack_size"],
    )
    return ReorderRecommendationRead(
        item_code=row["code"],
        name=row["name_fr" if language == "fr" else "name_en"],
        unit=row["unit"],
        on_hand=on_hand,
        available=available,
        reorder_point=row["reorder_point"],
        safety_stock=None,
        order_quantity=quantity,
        order_by=None,
        stock_out_date=None,
        source="reorder_point",
        reason=translate(
            REASON if available == on_hand else REASON_EXPIRED, language,
            on_hand=on_hand.normalize(), available=available.normalize(),
            reorder_point=row["reorder_point"].normalize(),
        ),
    )  # fmt: skip
