from pydantic import Field, SecretStr

from shared.settings import ClientSecret, HexKey, HexKeys, ServiceSettings


class Settings(ServiceSettings):
    """What reporting reads beside what every service reads."""

    price_encryption_key: HexKey
    price_encryption_key_previous: HexKeys = SecretStr("")
    reporting_client_secret: ClientSecret
    redis_ttl_dashboard: int = Field(default=60, ge=1, le=86_400)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")  # Of tenants that name none.
