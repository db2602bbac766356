import os

from pydantic import Field, SecretStr, field_validator

from services.forecasting.training.rules import ModelType
from shared.settings import ClientSecret, HexKey, HexKeys, ServiceSettings

LOCAL = "local"


class Settings(ServiceSettings):
    """What forecasting reads beside what every service reads."""

    forecasting_client_secret: ClientSecret
    inventory_encryption_key: HexKey  # Of the forecasts in the cache.
    inventory_encryption_key_previous: HexKeys = SecretStr("")
    ai_training_enabled: bool = True
    ai_default_model_type: ModelType = ModelType.AUTO
    ai_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    ai_compute: str = LOCAL
    redis_ttl_forecasts: int = Field(default=86_400, ge=1)  # Seconds.

    @field_validator("ai_compute")
    @classmethod
    def _is_local(cls, value: str) -> str:
        if value != LOCAL:
            raise ValueError("this release trains on its own machine only: set it to 'local'")
        return value
