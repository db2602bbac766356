from uuid import UUID

from pydantic import Field

from shared.pagination import LIMIT_MAX, Limit, PageQuery


class RecommendationQuery(PageQuery):
    """Which recommendations to list."""

    everything: bool = Field(
        default=False,
        alias="all",
        description="Also items of which nothing is to be ordered now.",
    )


class TenantRecommendationQuery(RecommendationQuery):
    """The same for another service, which names the tenant it asks for."""

    tenant: UUID
    limit: Limit = LIMIT_MAX
