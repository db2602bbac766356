from decimal import Decimal

from pydantic import Field, SecretStr

from shared.settings import ClientSecret, HexKey, HexKeys, ServiceSettings


class Settings(ServiceSettings):
    """What inventory reads beside what every service reads."""

    inventory_encryption_key: HexKey
    inventory_encryption_key_previous: HexKeys = SecretStr("")
    price_encryption_key: HexKey
    price_encryption_key_previous: HexKeys = SecretStr("")
    inventory_client_secret: ClientSecret
    # Webhooks of tenants may lead into the private network, and to this machine but in production.
    webhook_private_addresses: bool = False
    hot_connections: int = Field(default=8, ge=1, le=64)
    # In the tenant's currency; a role's own limit is set by the tenant's administrators.
    require_approval_threshold: Decimal = Field(
        default=Decimal(1000), ge=0, max_digits=18, decimal_places=6
    )
    retention_movements_years: int = Field(default=5, ge=1, le=100)  # Of the ledger.
    approval_lasts_days: int = Field(default=7, ge=1, le=366)
