import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from services.auth.passwords import rules as passwords
from shared.security.tokens import TokenSigner
from shared.settings import HexKey, HexKeys, ServiceSettings

RegistrationPolicy = Literal["open", "invite", "closed"]
_SECRET_LENGTH_MIN = 32


class Settings(ServiceSettings):
    """What auth reads beside what every service does."""

    jwt_private_key: SecretStr
    jwt_secret: SecretStr = Field(min_length=_SECRET_LENGTH_MIN)
    jwt_access_ttl: int = Field(default=900, ge=60, le=3600)
    jwt_refresh_ttl: int = Field(default=604_800, ge=3600)
    # A signing key is followed by the next at this age; 0: only by command.
    signing_rotation_days: int = Field(default=90, ge=0, le=3650)
    session_lifetime_max: int = Field(default=2_592_000, ge=3600)
    encryption_key: HexKey
    encryption_key_previous: HexKeys = SecretStr("")
    password_min_length: int = Field(default=12, ge=8, le=64)
    # Sign-ins in a row without success from one network before it has to wait.
    sign_in_attempts_per_network: int = Field(default=50, ge=5, le=10_000_000)
    password_threads: int = Field(default=1, ge=1, le=64)
    admin_email: str = "admin@example.com"
    admin_password: SecretStr
    registration: RegistrationPolicy | None = None
    smtp_url: SecretStr | None = None  # smtp(s)://user:password@host:port; without, a folder.
    mail_from: str = Field(default="Stockwright <no-reply@localhost>", max_length=320)
    mail_folder: Path = Path("data/mail")
    public_url: str = Field(default="", max_length=500)  # Where the public reaches the gateway.
    frontend_url: str = Field(default="", max_length=500)  # Where links in mails lead.
    webauthn_rp_id: str = Field(default="", max_length=253)  # The domain that passkeys are for.
    webauthn_origins: str = Field(default="", max_length=2000)  # Pages that may use them.
    # Identity providers of tenants may lie in the private network, as a Keycloak of one's own does.
    oidc_private_addresses: bool = False
    # Days that somebody has been an administrator who has a part in removing a lost second factor.
    recovery_administrator_days: int = Field(default=7, ge=0, le=365)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    gateway_client_secret: SecretStr = Field(min_length=_SECRET_LENGTH_MIN)
    inventory_client_secret: SecretStr = Field(min_length=_SECRET_LENGTH_MIN)
    forecasting_client_secret: SecretStr = Field(min_length=_SECRET_LENGTH_MIN)
    reporting_client_secret: SecretStr = Field(min_length=_SECRET_LENGTH_MIN)

    @field_validator("jwt_private_key")
    @classmethod
    def check_private_key(cls, value: SecretStr) -> SecretStr:
        """Refuse a weak key; its line breaks may be written as in env files."""
        pem = value.get_secret_value().replace("\\n", "\n")
        TokenSigner(pem)
        return SecretStr(pem)

    @field_validator("admin_password")
    @classmethod
    def check_admin_password(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        """Refuse a password that the first administrator could not choose either."""
        weakness = passwords.find_weakness(
            passwords.normalised(value.get_secret_value()),
            length_min=info.data.get("password_min_length", 0),
            personal=(info.data.get("admin_email", ""),),
        )
        if weakness:
            raise ValueError(f"{weakness.replace('_', ' ')} for a password")
        return value

    @field_validator("smtp_url")
    @classmethod
    def check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what is no address of a mail server; an empty one is none."""
        if value is None or not value.get_secret_value():
            return None
        if not re.match(r"smtps?://[^/\s]+$", value.get_secret_value()):
            raise ValueError("give smtp://host:port or smtps://host:port, with user:password@")
        return value

    @field_validator("public_url")
    @classmethod
    def check_public_url(cls, value: str) -> str:
        """Refuse what is no address of a server; a path in front of ours may stand in it."""
        parts = urlsplit(value)
        is_plain = parts.hostname and not (parts.query or parts.fragment or parts.username)
        if value and (parts.scheme not in {"http", "https"} or not is_plain):
            raise ValueError("give an address as https://stock.example")
        return value.rstrip("/")

    @field_validator("webauthn_origins")
    @classmethod
    def check_webauthn_origins(cls, value: str, info: ValidationInfo) -> str:
        """Refuse what browsers would never say, and in production what travels in the clear."""
        rp_id = info.data.get("webauthn_rp_id", "")
        for origin in filter(None, map(str.strip, value.split(","))):
            parts = urlsplit(origin)
            host = parts.hostname or ""
            if (
                parts.scheme not in {"http", "https"}
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError("give origins such as https://app.example, comma-separated")
            if parts.scheme == "http" and info.data.get("environment") == "production":
                raise ValueError("in production passkeys need https origins")
            if rp_id and host != rp_id and not host.endswith(f".{rp_id}"):
                raise ValueError("every origin must lie in WEBAUTHN_RP_ID")
        return value

    @property
    def passkey_origins(self) -> list[str]:
        """Return the pages that may use passkeys: as set, else the frontend's; none: no passkeys.

        Beside neither, the gateway's own address on one's own machine, except in production.
        """
        given = [origin.strip() for origin in self.webauthn_origins.split(",") if origin.strip()]
        if given:
            return given
        frontend = urlsplit(self.frontend_url)
        if frontend.scheme == "https" or (frontend.scheme == "http" and not self._in_production):
            return [f"{frontend.scheme}://{frontend.netloc}"]
        return [] if self._in_production else ["http://localhost:8083"]

    @property
    def relying_party(self) -> str:
        """Return the domain that passkeys are for: as set, else the host of the first page."""
        return self.webauthn_rp_id or urlsplit(self.passkey_origins[0]).hostname or ""

    @property
    def _in_production(self) -> bool:
        return self.environment == "production"

    @property
    def registration_policy(self) -> RegistrationPolicy:
        """Return who may register: as set, else everybody except in production."""
        if self.registration is not None:
            return self.registration
        return "closed" if self.environment == "production" else "open"

    def client_secrets(self) -> dict[str, str]:
        """Return the secret of each service by its name."""
        secrets = {
            "gateway": self.gateway_client_secret,
            "inventory": self.inventory_client_secret,
            "forecasting": self.forecasting_client_secret,
            "reporting": self.reporting_client_secret,
        }
        return {client: secret.get_secret_value() for client, secret in secrets.items()}
