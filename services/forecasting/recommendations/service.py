"""What to order and when: the rules applied to stock, forecast and lead time of every item."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.consumption.service import followed_until
from services.forecasting.recommendations import queries
from services.forecasting.recommendations.rules.lead_time_demand import demand_quantile
from services.forecasting.recommendations.rules.policy import order_policy
from services.forecasting.recommendations.rules.replenishment import (
    Forecast,
    Position,
    explain,
    recommend,
)
from services.forecasting.recommendations.rules.wording import Wording, sentence
from services.forecasting.recommendations.schemas import (
    LeadTimeDemand,
    RecommendationPage,
    RecommendationRead,
)
from shared.money import rounded_quantity
from shared.pagination import decode_cursor, encode_cursor

SCANNED_MAX = 1000  # Items looked at for one page.
_BY_CODE = "code"


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at the recommendations, and when; `everything` shows items to leave alone too."""

    today: date
    language: str
    everything: bool


async def list_recommendations(
    session: AsyncSession, view: View, *, cursor: str | None, limit: int
) -> RecommendationPage:
    """Return one page in the order of item codes. Raises InvalidCursor."""
    after = decode_cursor(cursor, _BY_CODE, 1)
    after_code = str(after[0]) if after else ""
    found: list[RecommendationRead] = []
    expired = scanned = 0
    while len(found) < limit and scanned < SCANNED_MAX:
        batch = await queries.list_forecast_items(session, after_code=after_code, limit=limit)
        current = [row for row in batch if row["last_day"] >= view.today]
        # Some hundred quantiles each: off the loop, so that other requests go on.
        planned = await asyncio.to_thread(_plan_all, current, view)
        found += [p for p in planned if view.everything or p.order_quantity > 0]
        scanned, expired = scanned + len(batch), expired + len(batch) - len(current)
        if len(batch) < limit:
            return await _page(session, found, expired, None)
        after_code = batch[-1]["code"]
    return await _page(session, found, expired, encode_cursor(_BY_CODE, [after_code]))


async def _page(
    session: AsyncSession, items: list[RecommendationRead], expired: int, cursor: str | None
) -> RecommendationPage:
    as_of = await followed_until(session)
    return RecommendationPage(items=items, expired=expired, as_of=as_of, next_cursor=cursor)


def _plan_all(rows: Sequence[RowMapping], view: View) -> list[RecommendationRead]:
    return [_plan(row, view) for row in rows]


def _plan(row: RowMapping, view: View) -> RecommendationRead:
    forecast = Forecast(
        first_day=row["first_day"],
        daily_mean=[point["mean"] for point in row["points"]],
        sum_error_variance=row["sum_error_variance"],
    )
    position = Position(on_hand=row["on_hand"], reserved=row["reserved"])
    policy = order_policy(row["lead_time_days"], row["pack_size"], row["reorder_quantity"])
    plan = recommend(forecast, position, policy, today=view.today)
    packs = int(plan.order_quantity / policy.pack_size)
    reason = explain(plan, position, policy, today=view.today).code
    wording = Wording(reason, packs, row["pack_unit"], view.today, view.language)
    return RecommendationRead(
        item_code=row["code"],
        name=row["name_fr" if view.language == "fr" else "name_en"],
        unit=row["unit"],
        on_hand=position.on_hand,
        reserved=position.reserved,
        available=position.available,
        lead_time_days=policy.lead_time_days,
        demand=_lead_time_demand(
            forecast.from_day(view.today), forecast.sum_error_variance, policy.protection_days,
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
