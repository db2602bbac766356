from typing import Annotated

from fastapi import Depends

from services.reporting.cache import service
from services.reporting.cache.schemas import CacheStatsRead
from services.reporting.requests import Counters
from shared.principal import Principal
from shared.web import feature_router, requires

router = feature_router("/api/cache", "cache")

# It is about all tenants, as the status page.
CanOperateAll = Annotated[Principal, Depends(requires("tenant:manage"))]


@router.get("/stats")
async def get_cache_stats(redis: Counters, _caller: CanOperateAll) -> CacheStatsRead:
    """Read the state of the cache.

    How full it is, and how often it is asked in vain, for all tenants together: for administrators
    of the platform.
    """
    return await service.get_stats(redis)
