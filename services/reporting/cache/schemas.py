from typing import Literal

from pydantic import Field

from shared.schemas import Output


class PrefixRead(Output):
    """How often values of one kind were found, by this process since it started."""

    prefix: str = Field(examples=["dashboard"])
    hits: int
    misses: int
    hit_rate: float | None = Field(description="0 to 1; null before the first look-up.")


class CacheStatsRead(Output):
    """The state of the cache; null where it does not answer."""

    status: Literal["connected", "away"]
    keys: int | None
    size_bytes: int | None = Field(description="What the stored values take.")
    memory_usage_bytes: int | None = Field(description="What the cache takes in all.")
    memory_limit_bytes: int | None = Field(description="0: no limit.")
    evicted_keys: int | None
    hits: int | None = Field(description="Of all services, since the cache started.")
    misses: int | None
    hit_rate: float | None
    prefixes: list[PrefixRead]
