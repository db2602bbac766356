"""What to order and when: the rules applied to stock, forecast and lead time of every item."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.consumption.service import followed_until
from services.forecasting.recommendations import queries
from services.forecasting.recommendations.rules.lead_time_demand import demand_quantile
from services.forecasting.recommendations.rules.policy import order_policy
from services.forecasting.recommendations.rules.replenishment import (
    Forecast,
    StockPosition,
    explain,
    recommend,
)
from services.forecasting.recommendations.rules.wording import Wording, sentence
from services.forecasting.recommendations.schemas import (
    RecommendationQuery,
    TenantRecommendationQuery,
)
from shared.contracts.forecasting.recommendations import (
    BY_CODE,
    LeadTimeDemand,
    RecommendationPage,
    RecommendationRead,
    TenantRecommendationPage,
)
from shared.journal.aside import is_incomplete
from shared.money import rounded_quantity

SCANNED_MAX = 1000  # Items looked at for one page.


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found of the items looked at for a page, and which of them it lists."""

    as_of: datetime | None
    plans: Sequence[RecommendationRead]
    listed: Sequence[RecommendationRead]
    expired: int
    next_cursor: str | None


async def list_recommendations(
    session: AsyncSession, query: RecommendationQuery, *, language: str, today: date
) -> RecommendationPage:
    """Return one page in the order of item codes. Raises InvalidCursor."""
    return await _to_page(session, await _look(session, query, language, today))


async def list_for_service(
    session: AsyncSession, query: TenantRecommendationQuery, *, language: str, today: date
) -> TenantRecommendationPage:
    """Return the same with what else was looked at. Raises InvalidCursor."""
    found = await _look(session, query, language, today)
    page = await _to_page(session, found)
    without_order = [plan.item_code for plan in found.plans if not plan.order_quantity]
    return TenantRecommendationPage(**dict(page), without_order=without_order)


async def _to_page(session: AsyncSession, found: _Look) -> RecommendationPage:
    return RecommendationPage(
        items=list(found.listed),
        expired=found.expired,
        as_of=found.as_of,
        incomplete=await is_incomplete(session),
        next_cursor=found.next_cursor,
    )


async def _look(
    session: AsyncSession, query: RecommendationQuery, language: str, today: date
) -> _Look:
    """Look at items until a page of those to list is found, or SCANNED_MAX were looked at."""
    after = BY_CODE.after(query.cursor)
    after_code = after[0] if after else ""
    as_of = await followed_until(session)
    plans: list[RecommendationRead] = []
    listed: list[RecommendationRead] = []
    expired = scanned = 0
    ended = False
    while len(listed) < query.limit and scanned < SCANNED_MAX and not ended:
        batch = await queries.list_forecast_items(
            session, after_code=after_code, today=today, limit=query.limit
        )
        current = [row for row in batch if row["last_day"] >= today]
        # Some hundred quantiles each: off the loop, so that other requests go on.
        planned = await asyncio.to_thread(_plan_all, current, language, today)
        told = [plan for plan in planned if query.everything or plan.order_quantity > 0]
        room = query.limit - len(listed)
        ended = len(batch) < query.limit and len(told) <= room
        if len(told) > room:
            told, batch = told[:room], _rows_through(batch, told[room - 1].item_code)
            planned = planned[: planned.index(told[-1]) + 1]
        plans, listed = plans + planned, listed + told
        scanned += len(batch)
        expired += sum(row["last_day"] < today for row in batch)
        after_code = batch[-1]["code"] if batch else after_code
    next_cursor = None if ended else BY_CODE.cursor((after_code,))
    return _Look(as_of, plans, listed, expired, next_cursor)


def _rows_through(batch: Sequence[RowMapping], code: str) -> Sequence[RowMapping]:
    """Return what a page has looked at when it is full; the next one begins with the rest."""
    codes = [row["code"] for row in batch]
    return batch[: codes.index(code) + 1]


def _plan_all(rows: Sequence[RowMapping], language: str, today: date) -> list[RecommendationRead]:
    return [to_read(row, language, today) for row in rows]


def to_read(row: RowMapping, language: str, today: date) -> RecommendationRead:
    forecast = Forecast(
        first_day=row["first_day"],
        daily_mean=[point["mean"] for point in row["points"]],
        sum_error_variance=row["sum_error_variance"],
    )
    position = StockPosition(row["on_hand"], row["reserved"], expired=row["expired"])
    policy = order_policy(row["lead_time_days"], row["pack_size"], row["reorder_quantity"])
    plan = recommend(forecast, position, policy, today=today)
    packs = int(plan.order_quantity / policy.pack_size)
    reason = explain(plan, position, policy, today=today).code
    wording = Wording(reason, packs, row["pack_unit"], today, language)
    return RecommendationRead(
        item_code=row["code"],
        name=_name(row, language),
        unit=row["unit"],
        on_hand=position.on_hand,
        reserved=position.reserved,
        available=position.available,
        lead_time_days=policy.lead_time_days,
        demand=_lead_time_demand(
            forecast.from_day(today), forecast.sum_error_variance, policy.protection_days,
            plan.expected_demand,
        ),
        stock_out_date=plan.stock_out_on,
        reorder_point=plan.reorder_point,
        safety_stock=plan.safety_stock,
        order_quantity=plan.order_quantity,
        packs=packs,
        pack_size=policy.pack_size,
        pack_unit=row["pack_unit"],
        order_by=plan.order_by,
        reason_code=reason,
        reason=sentence(plan, position, policy, wording),
        model_type=row["model_type"],
        beats_baseline=row["beats_baseline"],
    )  # fmt: skip


def _name(row: RowMapping, language: str) -> str:
    """Return the item's name; in the other language where this one has none."""
    english, french = row["name_en"], row["name_fr"]
    return str((french or english) if language == "fr" else (english or french))


def _lead_time_demand(
    path: Sequence[float], variance: Sequence[float], days: int, expected: Decimal
) -> LeadTimeDemand:
    """Return the demand over the protection interval, its bounds from the same distribution."""

    def bound(level: float) -> Decimal:
        return rounded_quantity(Decimal(demand_quantile(path, variance, days, level)))

    return LeadTimeDemand(
        days=days,
        expected=expected,
        lower_80=bound(0.1),
        upper_80=bound(0.9),
        lower_95=bound(0.025),
        upper_95=bound(0.975),
    )
