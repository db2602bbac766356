"""What forecasts refuse, and why."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class NotTrained(NotFound):
    """The item exists, but no model of it is active."""

    slug: ClassVar[str] = "not-trained"
    title: ClassVar[str] = N_("No forecast yet")
    detail: ClassVar[str] = N_(
        "No model of {item} is active. Have it trained first: POST /api/ai/forecast/train."
    )
    item: str


@dataclass(eq=False)
class ForecastExpired(Conflict):
    """The model's forecast does not reach the present day any more."""

    slug: ClassVar[str] = "forecast-expired"
    title: ClassVar[str] = N_("Forecast out of date")
    detail: ClassVar[str] = N_(
        "The forecast of {item} ended on {last_day}. Have it trained again: "
        "POST /api/ai/forecast/train."
    )
    item: str
    last_day: date


@dataclass(eq=False)
class LocationUnsupported(Unprocessable):
    """Forecasts are made for all locations of an item together."""

    slug: ClassVar[str] = "location-unsupported"
    title: ClassVar[str] = N_("No forecasts by location")
    detail: ClassVar[str] = N_(
        "Forecasts are made for all locations of an item together. Leave out the location."
    )
