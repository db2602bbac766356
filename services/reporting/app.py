"""Where reporting is put together."""

from pathlib import Path

from fastapi import FastAPI

from services.reporting.audit import routes as audit
from services.reporting.cache import routes as cache
from services.reporting.dashboard import routes as dashboard
from services.reporting.inventory_value import routes as inventory_value
from services.reporting.reorder_recommendations import routes as reorder_recommendations
from services.reporting.resources import open_service
from services.reporting.settings import Settings
from shared.contracts.reporting.access import ReportingDenied
from shared.web import build_app


def create_app(settings: Settings | None) -> FastAPI:
    """Return reporting's web app; without settings it can only describe itself."""
    return build_app(
        package=Path(__file__).parent,
        title="Reporting",
        description="Dashboard, inventory value, reorder recommendations and the audit trail.",
        tags={
            "dashboard": "Figures of the present at a glance.",
            "inventory value": "What the stock on hand cost.",
            "reorder recommendations": "What to order: by forecasts, else by reorder points.",
            "audit": "Who did what, in every service, and the proof that none of it was altered.",
            "cache": "How well the cache does, for those who operate it.",
        },
        settings=settings,
        open_service=open_service,
        denied=ReportingDenied,
        routers=(
            dashboard.router,
            inventory_value.router,
            reorder_recommendations.router,
            audit.router,
            cache.router,
        ),
    )
