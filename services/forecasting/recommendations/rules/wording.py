"""The reason of a recommendation in words, as a planner would say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_date

from services.forecasting.recommendations.rules.replenishment import (
    OrderPolicy,
    Recommendation,
    StockPosition,
)
from shared.contracts.forecasting.recommendations import ReasonCode
from shared.i18n import N_, NP_, translate, translate_plural
from shared.money import plain

SENTENCES: Mapping[ReasonCode, str] = {
    ReasonCode.OUT_OF_STOCK: N_(
        "Nothing is available, the supplier needs {lead_time}: order {quantity} by {order_by}."
    ),
    ReasonCode.STOCK_OUT_BEFORE_DELIVERY: N_(
        "On hand covers {cover} of expected sales, the supplier needs {lead_time}: "
        "order {quantity} by {order_by}."
    ),
    ReasonCode.BELOW_REORDER_POINT: N_(
        "{available} available, at or below the reorder point of {reorder_point}: "
        "order {quantity} by {order_by}."
    ),
    ReasonCode.COVERED_BY_ORDERS: N_("What is on order covers the expected sales."),
    ReasonCode.REORDER_LATER: N_(
        "Stock comes down to the reorder point of {reorder_point} on {order_by}: order then."
    ),
    ReasonCode.ENOUGH_STOCK: N_("Stock covers the expected sales as far as they are forecast."),
    ReasonCode.NO_DEMAND_EXPECTED: N_("No sales are expected."),
}
# What packs are mostly called; anything else is named as it was entered.
PACKS: Mapping[str, tuple[str, str]] = {
    "bag": NP_("{count} bag", "{count} bags"),
    "box": NP_("{count} box", "{count} boxes"),
    "carton": NP_("{count} carton", "{count} cartons"),
    "case": NP_("{count} case", "{count} cases"),
    "pack": NP_("{count} pack", "{count} packs"),
    "pallet": NP_("{count} pallet", "{count} pallets"),
}
OTHER_PACK = N_("{count} × {pack_unit}")  # noqa: RUF001 - a multiplication it is.
UNITS = NP_("{count} unit", "{count} units")
DAYS = NP_("{count} day", "{count} days")
_DAY_PATTERN = "EEEE d MMMM"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a sentence is about beside the plan."""

    code: ReasonCode
    packs: int
    pack_unit: str | None
    today: date
    language: str


def sentence(
    plan: Recommendation, position: StockPosition, policy: OrderPolicy, wording: Wording
) -> str:
    """Return why to order, or why not, in the reader's language."""
    cover_days = (plan.stock_out_on - wording.today).days if plan.stock_out_on else 0
    language = wording.language
    return translate(
        SENTENCES[wording.code],
        language,
        lead_time=_counted(DAYS, policy.lead_time_days, language),
        cover=_counted(DAYS, cover_days, language),
        quantity=_quantity(plan.order_quantity, wording),
        order_by=format_date(plan.order_by or wording.today, _DAY_PATTERN, locale=language),
        available=Decimal(plain(position.available)),
        reorder_point=Decimal(plain(plan.reorder_point)),
    )


def _quantity(units: Decimal, wording: Wording) -> str:
    if wording.pack_unit is None:
        return _counted(UNITS, int(units), wording.language)
    known = PACKS.get(wording.pack_unit.casefold())
    if known is not None:
        return _counted(known, wording.packs, wording.language)
    return translate(OTHER_PACK, wording.language, count=wording.packs, pack_unit=wording.pack_unit)


def _counted(forms: tuple[str, str], count: int, language: str) -> str:
    return translate_plural(*forms, count, language)
