"""Where forecasting is put together."""

from pathlib import Path

from fastapi import FastAPI

from services.forecasting.consumption import routes as consumption
from services.forecasting.forecast import routes as forecast
from services.forecasting.models import routes as models
from services.forecasting.recommendations import routes as recommendations
from services.forecasting.resources import open_service
from services.forecasting.settings import Settings
from services.forecasting.training import routes as training
from shared.contracts.forecasting.access import ForecastingDenied
from shared.web import build_app


def create_app(settings: Settings | None) -> FastAPI:
    """Return forecasting's web app; without settings it can only describe itself."""
    return build_app(
        package=Path(__file__).parent,
        title="Forecasting",
        description="Consumption, models trained on it, forecasts, and what to order when.",
        tags={
            "consumption": "What was used of items each day, by the ledger.",
            "training": "Jobs in which workers train models.",
            "models": "What training made: versions, one of which is active for each item.",
            "forecast": "The demand to expect.",
            "recommendations": "What to order, when and why.",
        },
        settings=settings,
        open_service=open_service,
        denied=ForecastingDenied,
        routers=(
            training.router,
            forecast.router,
            consumption.router,
            models.router,
            recommendations.router,
            recommendations.internal_router,
        ),
    )
