"""What a route of reporting may ask of its request, beside what every route may."""

from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis

from services.reporting.resources import ReportingOwn, ReportingResources
from shared.http import ServiceClient
from shared.web.requests import get_resources


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
