from typing import Annotated

from fastapi import Depends

from services.reporting.cache import service
from services.reporting.cache.schemas import CacheStatsRead
from services.reporting.resources import Counters
from shared.principal import Principal
from shared.web import feature_router, requires

router = feature_router("/api/cache", "cache")

CanOperate = Annotated[Principal, Depends(requires("ops:read"))]


@router.get("/stats")
async def get_cache_stats(redis: Counters, _caller: CanOperate) -> CacheStatsRead:
    """Read the state of the cache.

    How full it is, and how often it is asked in vain.
    """
    return await service.get_stats(redis)
