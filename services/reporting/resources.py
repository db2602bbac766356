"""What a process of reporting holds open."""

from dataclasses import dataclass

from services.reporting.settings import Settings
from shared.cache import Cache
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer


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
