"""What reporting needs beside what every service has."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.settings import Settings
from shared.cache import Cache
from shared.security.sealing import Sealer
from shared.web.requests import get_resources
from shared.web.resources import Resources

_PRICES = "prices"


@dataclass(slots=True)
class ReportingResources:
    """Reporting's own: the sealer of costs and values, and a cache that keeps them sealed."""

    prices: Sealer
    cache: Cache
    dashboard_ttl_s: int
    default_currency: str

    @classmethod
    def of(cls, resources: Resources, settings: Settings) -> "ReportingResources":
        prices = Sealer(settings.price_encryption_key, settings.price_encryption_key_previous)
        resources.database.session_info[_PRICES] = prices
        return cls(
            prices,
            resources.cache.sealed_by(prices),
            settings.redis_ttl_dashboard,
            settings.currency,
        )


def prices_of(session: AsyncSession) -> Sealer:
    """Return the sealer of costs and values that sessions of this service carry."""
    sealer: Sealer = session.info[_PRICES]
    return sealer


def get_own(request: Request) -> ReportingResources:
    own: ReportingResources = get_resources(request).own
    return own


Everything = Annotated[Resources, Depends(get_resources)]
Own = Annotated[ReportingResources, Depends(get_own)]
