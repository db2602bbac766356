from pydantic import Field

from shared.settings import HexKey, ServiceSettings


class Settings(ServiceSettings):
    """What inventory reads beside what every service reads."""

    inventory_encryption_key: HexKey = Field(repr=False)
    inventory_encryption_key_previous: str = Field(default="", repr=False)
    price_encryption_key: HexKey = Field(repr=False)
    price_encryption_key_previous: str = Field(default="", repr=False)
    inventory_client_secret: str = Field(min_length=16, repr=False)
    hot_connections: int = Field(default=8, ge=1, le=64)
