"""What a process of forecasting holds open."""

from dataclasses import replace

from services.forecasting.settings import Settings
from services.forecasting.state import tell_state
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer

ForecastingResources = Resources[Settings]


def open_service(settings: Settings) -> ForecastingResources:
    """Return forecasting's connections and keys; nothing connects before it is used."""
    resources = open_resources(
        "forecasting", settings, client_secret=settings.forecasting_client_secret
    )
    sealer = Sealer(
        settings.inventory_encryption_key.get_secret_value(),
        settings.inventory_encryption_key_previous.get_secret_value(),
    )
    cache = resources.cache.sealed_by(sealer)
    return replace(resources.having(settings), cache=cache, tell_state=tell_state)
