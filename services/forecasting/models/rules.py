"""What a model's status may be, and what it may assume, in words."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from babel.dates import format_date

from shared.i18n import N_, translate


class Status(StrEnum):
    """One model of an item is active at most; the others are archived."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class AssumptionCode(StrEnum):
    """What a forecast takes for granted because the history does not say it."""

    SOLD_OUT_DAYS_COUNTED = "sold_out_days_counted"
    OUTLIER_LIMITED = "outlier_limited"
    OUTLIERS_LIMITED = "outliers_limited"


ASSUMPTIONS: Mapping[AssumptionCode, str] = {
    AssumptionCode.SOLD_OUT_DAYS_COUNTED: N_(
        "Days on which stock ran out: {sold_out_days} of {days}. The forecast assumes that no more "
        "was wanted than was sold; demand may be higher."
    ),
    AssumptionCode.OUTLIER_LIMITED: N_(
        "The {quantity} of {day} are far beyond every other day. The forecast counts {counted}."
    ),
    AssumptionCode.OUTLIERS_LIMITED: N_(
        "Days far beyond all others: {days}, with up to {quantity}. The forecast counts {counted} "
        "for each."
    ),
}


def assumption_text(code: AssumptionCode, figures: Mapping[str, Any], language: str) -> str:
    """Return an assumption as a sentence in the reader's language."""
    shown = dict(figures)
    if "day" in shown:
        shown["day"] = format_date(date.fromisoformat(shown["day"]), "long", locale=language)
    return translate(ASSUMPTIONS[code], language, **shown)
