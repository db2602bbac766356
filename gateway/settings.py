from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from gateway.addresses import Proxies
from gateway.rates import Rate
from shared.settings import FilePath, HexKey, ProcessSettings, check_settings_of, require_pair
from shared.tls import TlsFiles


class Settings(ProcessSettings):
    """What the gateway reads from its environment."""

    gateway_client_secret: SecretStr
    gateway_key: HexKey  # Of the proof, to the services, that a request came through here.
    # Exact origins, comma-separated: "https://shop.example,http://localhost:3000".
    allowed_origins: Annotated[frozenset[str], NoDecode] = frozenset()
    # The rate per user of what has none of its own, and what multiplies all rates.
    rate_limit_default: str = "1000/hour"
    rate_limit_scale: float = Field(default=1, gt=0, le=1_000_000)
    # Proxies whose X-Forwarded-For is believed, addresses and networks: "10.0.0.0/8,192.0.2.7".
    trusted_proxies: Annotated[frozenset[str], NoDecode] = frozenset()
    gateway_processes: int = Field(default=1, ge=1, le=64)
    # With several: the first of the ports at which each one answers alone, for Prometheus.
    gateway_metrics_port: int = Field(default=0, ge=0, le=65_000)
    gateway_upstream_connections_max: int = Field(default=100, ge=1)  # To each instance.
    gateway_drain_s: int = Field(default=20, ge=1)  # For requests in flight at SIGTERM.
    gateway_keep_alive_s: int = Field(default=65, ge=1)
    # Its own HTTPS, for those without a proxy in front.
    gateway_tls_cert: FilePath = None
    gateway_tls_key: FilePath = None

    @property
    def gateway_tls(self) -> TlsFiles | None:
        """Return the certificate that clients are shown; None where they are answered plainly."""
        if self.gateway_tls_cert is None:
            return None
        own = (self.gateway_tls_cert, self.gateway_tls_key)
        return TlsFiles("gateway", ("", "GATEWAY_TLS_CERT with GATEWAY_TLS_KEY"), None, *own)

    @model_validator(mode="after")
    def _check_gateway_tls(self) -> Self:
        require_pair("GATEWAY_TLS", self.gateway_tls_cert, self.gateway_tls_key)
        if (files := self.gateway_tls) is not None:
            check_settings_of(files)
        return self

    def urls_of(self, service: str) -> list[str]:
        """Return the base addresses of a service's instances, comma-separated in its variable."""
        return [url.strip().rstrip("/") for url in self.url_of(service).split(",") if url.strip()]

    @field_validator("rate_limit_default")
    @classmethod
    def _check_rate(cls, value: str) -> str:
        Rate.parse("default", value)
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _check_proxies(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        networks = frozenset(part.strip() for part in value.split(",") if part.strip())
        Proxies(networks)
        return networks

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
