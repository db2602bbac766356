"""What a route of forecasting may ask of its request, beside what every route may."""

from typing import Annotated

from fastapi import Depends, Request

from services.forecasting.resources import ForecastingResources
from services.forecasting.settings import Settings
from shared.web.requests import get_resources


def resources_of(request: Request) -> ForecastingResources:
    return get_resources(request)


async def get_settings(request: Request) -> Settings:
    return resources_of(request).own


OwnSettings = Annotated[Settings, Depends(get_settings)]
