"""What a process of forecasting holds open."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from services.forecasting.settings import Settings
from services.forecasting.state import tell_state
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer
from shared.web.requests import get_resources

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


def resources_of(request: Request) -> ForecastingResources:
    return get_resources(request)


async def get_settings(request: Request) -> Settings:
    return resources_of(request).own


OwnSettings = Annotated[Settings, Depends(get_settings)]
