"""What a process of reporting holds open."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis

from services.reporting.settings import Settings
from shared.cache import Cache
from shared.http import ServiceClient
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer
from shared.web.requests import get_resources


@dataclass(slots=True)
class ReportingOwn:
    """What reporting has beside what every service has; its cache keeps values sealed."""

    prices: Sealer
    cache: Cache
    dashboard_ttl_s: int
    default_currency: str


ReportingResources = Resources[ReportingOwn]


def open_service(settings: Settings) -> ReportingResources:
    """Return reporting's connections and keys; nothing connects before it is used."""
    resources = open_resources(
        "reporting", settings, client_secret=settings.reporting_client_secret
    )
    prices = Sealer(
        settings.price_encryption_key.get_secret_value(),
        settings.price_encryption_key_previous.get_secret_value(),
    )
    return resources.having(
        ReportingOwn(
            prices,
            resources.cache.sealed_by(prices),
            settings.redis_ttl_dashboard,
            settings.currency,
        )
    )


def resources_of(request: Request) -> ReportingResources:
    return get_resources(request)


async def get_own(request: Request) -> ReportingOwn:
    return resources_of(request).own


async def get_client(request: Request) -> ServiceClient | None:
    return resources_of(request).client


async def get_redis(request: Request) -> Redis:
    return resources_of(request).redis


Own = Annotated[ReportingOwn, Depends(get_own)]
Client = Annotated[ServiceClient | None, Depends(get_client)]  # To ask other services.
Counters = Annotated[Redis, Depends(get_redis)]  # The cache's own.
