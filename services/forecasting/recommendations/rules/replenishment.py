"""When to order, how much, and why: decisions from a forecast, its errors and a stock position.

Quantities enter and leave as Decimal in stock units; the statistics between are floats.
The textbook safety stock z * sigma_day * sqrt(L) reaches 87 % when asked for 95 %. The distribution
of lead-time demand used here is a gamma with the variance of the L-day sum's forecast errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

from services.forecasting.recommendations.rules.lead_time_demand import (
    expected_demand,
    reorder_point,
)
from shared.contracts.forecasting.recommendations import ReasonCode

DAYS_PER_YEAR = 365
SERVICE_LEVEL_MIN = 0.5
SERVICE_LEVEL_MAX = 0.9999
EXACT = Decimal("0.0001")  # Quantities are NUMERIC(18, 4).
WIDE = Context(prec=60)  # Digits enough for any sum of ledger rows, where 28 are the default.
NOISE = Decimal("0.000000001")  # Digits of a float below this are not meant.


@dataclass(frozen=True)
class Forecast:
    """Expected demand per day from `first_day` on, in stock units, and the errors of its sums.

    `sum_error_variance[L-1]` is the mean squared error of the forecast sum over L days; longer lead
    times are extrapolated from it. Raises ValueError when either is empty or holds a negative.
    """

    first_day: date
    daily_mean: Sequence[float]
    sum_error_variance: Sequence[float]

    def __post_init__(self) -> None:
        for values in (self.daily_mean, self.sum_error_variance):
            if not values or not all(value >= 0 for value in values):
                raise ValueError("a forecast needs days and variances, none of them negative")

    def from_day(self, day: date) -> Sequence[float]:
        """Daily means from `day` on. Raises ValueError when the forecast ended before."""
        path = self.daily_mean[max((day - self.first_day).days, 0) :]
        if not path:
            raise ValueError("the forecast ends before the day asked for")
        return path


@dataclass(frozen=True)
class StockPosition:
    """Stock of an item now; `incoming` are ordered quantities with the day each should arrive."""

    on_hand: Decimal
    reserved: Decimal = Decimal(0)
    incoming: Sequence[tuple[date, Decimal]] = ()
    expired: Decimal = Decimal(0)  # Of what is on hand: nobody gets it.

    @property
    def available(self) -> Decimal:
        """What may still be promised; negative with backorders."""
        return self.on_hand - self.reserved - self.expired

    @property
    def on_order(self) -> Decimal:
        return sum((quantity for _, quantity in self.incoming), Decimal(0))

    @property
    def total(self) -> Decimal:
        """The inventory position: available and on order."""
        return self.available + self.on_order


@dataclass(frozen=True)
class OrderPolicy:
    """How an item is bought.

    `unit_step` is the smallest quantity stocked. Costs are in one currency, per order and per unit
    and year; unless both are known the order covers `cover_days` of demand. A shelf life caps the
    order at what it lets sell. Raises ValueError outside the ranges checked below.
    """

    lead_time_days: int
    service_level: float = 0.95
    review_days: int = 0
    pack_size: Decimal = Decimal(1)
    minimum_order: Decimal = Decimal(0)
    unit_step: Decimal = Decimal(1)
    cover_days: int = 14
    order_cost: Decimal | None = None
    holding_cost: Decimal | None = None
    shelf_life_days: int | None = None

    def __post_init__(self) -> None:
        if self.lead_time_days < 0 or self.review_days < 0 or self.cover_days < 1:
            raise ValueError("lead time and review must be >= 0 days, cover >= 1 day")
        if not SERVICE_LEVEL_MIN <= self.service_level <= SERVICE_LEVEL_MAX:
            raise ValueError("the service level must be between 0.5 and 0.9999")
        if self.pack_size <= 0 or self.unit_step <= 0 or self.minimum_order < 0:
            raise ValueError("pack size and unit step must be > 0, minimum order >= 0")
        if self.shelf_life_days is not None and self.shelf_life_days < 1:
            raise ValueError("the shelf life must be >= 1 day")

    @property
    def protection_days(self) -> int:
        """Days the stock must last until an order placed at the next review has arrived."""
        return max(self.lead_time_days + self.review_days, 1)


@dataclass(frozen=True)
class Reason:
    """A code, and the values its sentence may name."""

    code: ReasonCode
    parameters: dict[str, Decimal | int | date]


@dataclass(frozen=True)
class Recommendation:
    """What to do about one item, in stock units; an order quantity of 0 means wait.

    `expected_demand` is over the protection interval. `order_by` is the day the inventory position
    reaches the reorder point, `stock_out_on` the day stock and arrivals run out: None when neither
    happens within the forecast.
    """

    expected_demand: Decimal
    safety_stock: Decimal
    reorder_point: Decimal
    order_up_to: Decimal
    order_quantity: Decimal
    order_by: date | None
    stock_out_on: date | None


def recommend(
    forecast: Forecast, position: StockPosition, policy: OrderPolicy, *, today: date
) -> Recommendation:
    """Decide for one item by (s, S): at or below s order up to S = s + economic quantity.

    Raises ValueError when the forecast ended before today.
    """
    path = forecast.from_day(today)
    variance = forecast.sum_error_variance
    expected = _exact(expected_demand(path, policy.protection_days))
    reorder = _in_units(
        reorder_point(path, variance, policy.protection_days, policy.service_level), policy
    )
    order_up_to = reorder + _up_to_multiple(economic_quantity(path, policy), policy.unit_step)
    order_by = order_day(path, position, reorder, today=today)
    needed = order_up_to - position.total if order_by == today else Decimal(0)
    return Recommendation(
        expected_demand=expected,
        safety_stock=max(reorder - expected, Decimal(0)),
        reorder_point=reorder,
        order_up_to=order_up_to,
        order_quantity=order_quantity(needed, policy),
        order_by=order_by,
        stock_out_on=stock_out_day(path, position, today=today),
    )


def explain(
    plan: Recommendation, position: StockPosition, policy: OrderPolicy, *, today: date
) -> Reason:
    """Return why the recommendation says what it says, with the values a sentence may name."""
    parameters: dict[str, Decimal | int | date] = {
        "available": position.available,
        "on_order": position.on_order,
        "expected_demand": plan.expected_demand,
        "safety_stock": plan.safety_stock,
        "reorder_point": plan.reorder_point,
        "order_quantity": plan.order_quantity,
        "lead_time_days": policy.lead_time_days,
    }
    if plan.order_by is not None:
        parameters["order_by"] = plan.order_by
    if plan.stock_out_on is not None:
        parameters["stock_out_on"] = plan.stock_out_on
    return Reason(_reason_code(plan, position, policy, today=today), parameters)


def economic_quantity(path: Sequence[float], policy: OrderPolicy) -> float:
    """Return the order quantity before packs and minimum, capped by what the shelf life lets sell.

    sqrt(2 K D / h), Harris (1913), with the path's mean times 365 as yearly demand. At least one
    unit step where there is demand, none where there is not.
    """
    daily = math.fsum(path) / len(path)
    if daily <= 0:
        return 0.0
    quantity = daily * policy.cover_days
    if policy.order_cost and policy.holding_cost:
        yearly = daily * DAYS_PER_YEAR
        quantity = math.sqrt(2 * float(policy.order_cost) * yearly / float(policy.holding_cost))
    if policy.shelf_life_days is not None:
        quantity = min(quantity, expected_demand(path, policy.shelf_life_days))
    return max(quantity, float(policy.unit_step))


def order_quantity(needed: Decimal, policy: OrderPolicy) -> Decimal:
    """Return the least whole number of packs that holds what is needed and the minimum order."""
    if needed <= 0:
        return Decimal(0)
    return _up_to_multiple(max(needed, policy.minimum_order), policy.pack_size)


def order_day(
    path: Sequence[float], position: StockPosition, reorder: Decimal, *, today: date
) -> date | None:
    """Return the first day on which the inventory position is at or below the reorder point.

    An item nobody is expected to want is ordered for backorders only.
    """
    if math.fsum(path) <= 0:
        return today if position.total < 0 else None
    remaining = float(position.total) - float(reorder)
    for ahead, demand in enumerate(path):
        if remaining <= 0:
            return today + timedelta(days=ahead)
        remaining -= demand
    return None


def stock_out_day(path: Sequence[float], position: StockPosition, *, today: date) -> date | None:
    """Return the day on which available stock and arrivals are used up; overdue ones come today."""
    stock = float(position.available)
    for ahead, demand in enumerate(path):
        day = today + timedelta(days=ahead)
        stock += sum(
            float(quantity) for due, quantity in position.incoming if max(due, today) == day
        )
        if stock <= 0 or stock < demand:
            return day
        stock -= demand
    return None


def _reason_code(
    plan: Recommendation, position: StockPosition, policy: OrderPolicy, *, today: date
) -> ReasonCode:
    if plan.order_quantity > 0:
        if position.available <= 0:
            return ReasonCode.OUT_OF_STOCK
        delivery = today + timedelta(days=policy.lead_time_days)
        if plan.stock_out_on is not None and plan.stock_out_on < delivery:
            return ReasonCode.STOCK_OUT_BEFORE_DELIVERY
        return ReasonCode.BELOW_REORDER_POINT
    if plan.expected_demand == 0:
        return ReasonCode.NO_DEMAND_EXPECTED
    if position.available <= plan.reorder_point:
        return ReasonCode.COVERED_BY_ORDERS
    return ReasonCode.ENOUGH_STOCK if plan.order_by is None else ReasonCode.REORDER_LATER


def _exact(quantity: float) -> Decimal:
    return Decimal(quantity).quantize(EXACT, ROUND_HALF_EVEN, WIDE)


def _in_units(quantity: float, policy: OrderPolicy) -> Decimal:
    """Round up to whole units; less than half of one is a sale too rare to stock for."""
    if quantity < float(policy.unit_step) / 2:
        return Decimal(0)
    return _up_to_multiple(quantity, policy.unit_step)


def _up_to_multiple(quantity: Decimal | float, step: Decimal) -> Decimal:
    """Round up to whole steps; a float only after its noise is gone."""
    if isinstance(quantity, float):
        quantity = Decimal(quantity).quantize(NOISE, ROUND_HALF_EVEN, WIDE)
    steps = WIDE.divide(quantity, step).to_integral_value(ROUND_CEILING)
    return WIDE.multiply(steps, step)
