"""What forecasting's routes need beside what every service's routes have."""

from typing import Annotated

from fastapi import Depends, Request

from services.forecasting.settings import Settings
from shared.web.requests import get_resources


async def get_settings(request: Request) -> Settings:
    own: Settings = get_resources(request).own
    return own


OwnSettings = Annotated[Settings, Depends(get_settings)]
