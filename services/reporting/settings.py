from pydantic import Field

from shared.settings import HexKey, ServiceSettings


class Settings(ServiceSettings):
    """What reporting reads beside what every service reads."""

    price_encryption_key: HexKey = Field(repr=False)
    price_encryption_key_previous: str = Field(default="", repr=False)
    reporting_client_secret: str = Field(min_length=16, repr=False)
    redis_ttl_dashboard: int = Field(default=60, ge=1, le=86_400)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")  # Of tenants that name none.
