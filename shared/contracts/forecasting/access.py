"""What forecasting journals of refused callers."""

from typing import ClassVar

from shared.journal import AccessDenied


class ForecastingDenied(AccessDenied):
    name: ClassVar[str] = "forecasting.access-denied.v1"
