"""Where forecasting is put together."""

from pathlib import Path

from fastapi import FastAPI

from services.forecasting.consumption import routes as consumption
from services.forecasting.forecast import routes as forecast
from services.forecasting.models import routes as models
from services.forecasting.recommendations import routes as recommendations
from services.forecasting.settings import Settings
from services.forecasting.training import routes as training
from shared.web import build_app
from shared.web.resources import Resources, open_resources


def open_service(settings: Settings) -> Resources:
    """Return forecasting's connections and keys; nothing connects before it is used."""
    resources = open_resources(
        "forecasting", settings, client_secret=settings.forecasting_client_secret
    )
    resources.own = settings
    return resources


def create_app(settings: Settings | None) -> FastAPI:
    """Return forecasting's web app; without settings it can only describe itself."""
    return build_app(
        package=Path(__file__).parent,
        title="Forecasting",
        description="Consumption, models trained on it, forecasts, and what to order when.",
        resources=lambda: open_service(settings or Settings.load()),
        routers=(
            training.router,
            forecast.router,
            consumption.router,
            models.router,
            recommendations.router,
            recommendations.internal_router,
        ),
    )
