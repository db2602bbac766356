from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from shared.settings import HexKey, ProcessSettings


class Settings(ProcessSettings):
    """What the gateway reads from its environment."""

    gateway_client_secret: SecretStr
    gateway_key: HexKey  # Of the proof, to the services, that a request came through here.
    # Exact origins, comma-separated: "https://shop.example,http://localhost:3000".
    allowed_origins: Annotated[frozenset[str], NoDecode] = frozenset()
    gateway_upstream_connections_max: int = Field(default=100, ge=1)  # To each service.
    gateway_drain_s: int = Field(default=20, ge=1)  # For requests in flight at SIGTERM.
    gateway_keep_alive_s: int = Field(default=65, ge=1)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Refuse `*`: an open API would not need the list."""
        if not isinstance(value, str):
            return value
        origins = frozenset(part.strip() for part in value.split(",") if part.strip())
        for origin in origins:
            scheme, separator, rest = origin.partition("://")
            if (
                scheme not in {"http", "https"}
                or not separator
                or not rest
                or set("/*") & set(rest)
            ):
                raise ValueError(f"{origin!r} is no origin such as https://shop.example")
        return origins
