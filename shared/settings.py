"""Settings: read once from the environment, typed, and refused in one line when they are wrong."""

import re
import sys
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.sealed_files.keys import FileKey
from shared.secret_files import SecretFileRefused, read_secrets
from shared.tls import TlsFiles, TlsRefused, check_files

SERVICES = ("auth", "inventory", "forecasting", "reporting")
Port = Annotated[int, Field(ge=1, le=65535)]
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_CHARACTERS_MIN = 8  # Different ones, in a secret.
_PLACEHOLDER = re.compile(
    r"(?<![a-z0-9])(change|changeme|default|demo|dummy|example|insert|password|placeholder|replace"
    r"|sample|secret|test|todo|your)(?![a-z])",
    re.IGNORECASE,
)


def _is_key(value: SecretStr) -> SecretStr:
    if not _HEX_KEY.fullmatch(value.get_secret_value()):
        raise ValueError("give 64 hexadecimal digits")
    return value


def _are_keys(value: SecretStr) -> SecretStr:
    if not all(_HEX_KEY.fullmatch(key) for key in value.get_secret_value().split(",") if key):
        raise ValueError("give keys of 64 hexadecimal digits, with commas between them")
    return value


def is_placeholder(secret: str) -> bool:
    """Say whether a secret is one that anybody would try.

    It says of itself that it is none, has fewer than eight different characters, or repeats itself.
    """
    repeats = secret in (secret + secret)[1:-1]
    return repeats or len(set(secret)) < _CHARACTERS_MIN or bool(_PLACEHOLDER.search(secret))


def _password_of(url: str) -> str:
    """Return the password in an address; empty if it has none, as on a socket of the system."""
    return unquote(urlsplit(url).password or "")


def _none_if_empty(value: object) -> object:
    return value or None


def _ssl_mode(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("sslmode", [""])[-1]


def _is_file_key(value: SecretStr) -> SecretStr:
    FileKey(value.get_secret_value())
    return value


def _is_file_key_or_none(value: SecretStr | None) -> SecretStr | None:
    return value and _is_file_key(value)


def _are_file_keys(value: SecretStr) -> SecretStr:
    for key in filter(None, value.get_secret_value().split(",")):
        FileKey(key)
    return value


def require_pair(name: str, certificate: Path | None, key: Path | None) -> None:
    """Raise ValueError where one of a certificate and its key was given without the other."""
    if (certificate is None) != (key is None):
        raise ValueError(f"{name}_KEY: needed with {name}_CERT, and only with it")


def _names_tls_files(url: str) -> bool:
    """Say whether an address names certificates, which are named by variables here."""
    asked = {name for name in parse_qs(urlsplit(url).query) if name.startswith("ssl")}
    return bool(asked - {"sslmode"})


def _is_socket(url: str) -> bool:
    """Say whether a database is reached on a socket of this machine."""
    parts = urlsplit(url)
    named = unquote(parts.netloc.rpartition("@")[2]) or parse_qs(parts.query).get("host", [""])[-1]
    return all(not host or host.startswith("/") for host in named.split(","))


def check_settings_of(files: TlsFiles) -> None:
    """Try the files that settings name. Raises ValueError, which names the variables."""
    try:
        check_files(files)
    except TlsRefused as error:
        raise ValueError(str(error)) from error


HexKey = Annotated[SecretStr, AfterValidator(_is_key)]
HexKeys = Annotated[SecretStr, AfterValidator(_are_keys)]  # Earlier ones; may be empty.
ClientSecret = Annotated[SecretStr, Field(min_length=16)]
# Of sealed files, as `shared.sealed_files.keys` takes them: 64 hexadecimal digits, or a passphrase.
OneFileKey = Annotated[SecretStr, AfterValidator(_is_file_key)]
OptionalFileKey = Annotated[
    SecretStr | None, BeforeValidator(_none_if_empty), AfterValidator(_is_file_key_or_none)
]
FileKeys = Annotated[SecretStr, AfterValidator(_are_file_keys)]  # Earlier ones; may be empty.
FilePath = Annotated[Path | None, BeforeValidator(_none_if_empty)]
SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class CommonSettings(BaseSettings):
    """How settings are read, and what everything that reads them has in common."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Literal["development", "test", "production"] = "development"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature.
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read a secret from the file that NAME_FILE names, where that is given."""
        given: dict[str, str | None] = {}
        for source in (dotenv_settings, env_settings):
            if isinstance(source, EnvSettingsSource):
                found = {name.upper(): value for name, value in source.env_vars.items()}
                given |= {name: value for name, value in found.items() if value}
        names = [
            name.upper()
            for name, field in cls.model_fields.items()
            if field.annotation in {SecretStr, SecretStr | None}
        ]
        files = {name.lower(): secret for name, secret in read_secrets(given, names).items()}
        in_files = InitSettingsSource(settings_cls, init_kwargs=files)
        return init_settings, in_files, env_settings, dotenv_settings

    @field_validator("*")
    @classmethod
    def _refuse_placeholders(cls, value: object, info: ValidationInfo) -> object:
        """Refuse, in production, secrets that were copied from somewhere and never chosen."""
        if isinstance(value, SecretStr) and info.data.get("environment") == "production":
            text = value.get_secret_value()
            secrets = [_password_of(text)] if "://" in text else text.split(",")
            if any(secret and is_placeholder(secret) for secret in secrets):
                raise ValueError("this is a placeholder; `make keys` prints secrets")
        return value


class PostgresSettings(CommonSettings):
    """How whoever speaks to PostgreSQL does: over TLS that checks everything, or in the clear."""

    pg_ssl: bool = False
    pg_ssl_mode: Literal["", "disable", "verify-full"] = ""  # The latter switches it on, too.
    pg_ca_cert: FilePath = None  # Without it the system's authorities are trusted.
    pg_client_cert: FilePath = None
    pg_client_key: FilePath = None

    @field_validator("pg_ssl_mode", mode="before")
    @classmethod
    def _refuse_half_measures(cls, value: object) -> object:
        if value in {"allow", "prefer", "require", "verify-ca"}:
            raise ValueError(f"{value} does not check who answers; give verify-full, or disable")
        return value

    @property
    def postgres_tls(self) -> TlsFiles | None:
        """Return the certificates for PostgreSQL; None where nothing switches TLS on."""
        modes = {_ssl_mode(url) for _, url in self._databases()}
        if not (self.pg_ssl or "verify-full" in {*modes, self.pg_ssl_mode}):
            return None
        return TlsFiles(
            "postgresql",
            ("PG_CA_CERT", "PG_CLIENT_CERT with PG_CLIENT_KEY"),
            self.pg_ca_cert,
            self.pg_client_cert,
            self.pg_client_key,
        )

    @model_validator(mode="after")
    def _check_postgres(self) -> Self:
        for name, url in self._databases():
            if (mode := _ssl_mode(url)) not in {"", "disable", "verify-full"}:
                raise ValueError(
                    f"{name}: sslmode={mode} does not check who answers; "
                    "give verify-full, or PG_SSL"
                )
            if _names_tls_files(url):
                raise ValueError(f"{name}: name certificates by PG_CA_CERT and PG_CLIENT_CERT")
        files = self.postgres_tls
        if self.pg_ssl and self.pg_ssl_mode == "disable":
            raise ValueError("PG_SSL_MODE: disable contradicts PG_SSL=true")
        require_pair("PG_CLIENT", self.pg_client_cert, self.pg_client_key)
        if files is not None:
            check_settings_of(files)
        elif self.environment == "production":
            for name, url in self._databases():
                if not _is_socket(url):
                    raise ValueError(f"PG_SSL: true in production, where {name} is no socket")
        return self

    def _databases(self) -> list[tuple[str, str]]:
        """Return the addresses of databases that are set, by the names of their variables."""
        names = [name for name in type(self).model_fields if name.endswith("database_url")]
        found = [(name.upper(), getattr(self, name)) for name in names]
        return [(name, url.get_secret_value()) for name, url in found if url is not None]


class ProcessSettings(CommonSettings):
    """What every process reads: the gateway, each service, each worker."""

    host: str = "127.0.0.1"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    default_language: Literal["en", "fr"] = "en"
    otel_exporter_otlp_endpoint: str = ""  # Where traces go, by OTLP over HTTP; empty: nowhere.
    trace_ratio: float = Field(default=0.01, ge=0, le=1)  # The share of requests that is traced.
    prometheus_enabled: bool = True
    metrics_port: Port | None = None
    metrics_token: ClientSecret  # Of who reads the metrics: Authorization: Bearer …
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    redis_tls: bool = False  # As rediss:// does; a socket of this machine needs none.
    redis_ca_cert: FilePath = None  # Without it the system's authorities are trusted.
    redis_client_cert: FilePath = None
    redis_client_key: FilePath = None
    max_content_length: int = Field(default=16_777_216, ge=1024)
    gateway_port: Port = 8083
    auth_port: Port = 8101
    inventory_port: Port = 8102
    forecasting_port: Port = 8103
    reporting_port: Port = 8104
    # Between gateway and services, all three or none: each shows its certificate and takes those
    # of this authority alone.
    service_tls_ca_cert: FilePath = None
    service_tls_cert: FilePath = None
    service_tls_key: FilePath = None
    auth_url: str = ""
    inventory_url: str = ""
    forecasting_url: str = ""
    reporting_url: str = ""

    @property
    def redis_tls_files(self) -> TlsFiles | None:
        """Return the certificates for Redis; None where it is reached in the clear."""
        scheme = urlsplit(self.redis_url.get_secret_value()).scheme
        if scheme == "unix" or not (self.redis_tls or scheme == "rediss"):
            return None
        return TlsFiles(
            "redis",
            ("REDIS_CA_CERT", "REDIS_CLIENT_CERT with REDIS_CLIENT_KEY"),
            self.redis_ca_cert,
            self.redis_client_cert,
            self.redis_client_key,
        )

    @model_validator(mode="after")
    def _check_redis(self) -> Self:
        require_pair("REDIS_CLIENT", self.redis_client_cert, self.redis_client_key)
        if (files := self.redis_tls_files) is not None:
            check_settings_of(files)
        return self

    @property
    def service_tls(self) -> TlsFiles | None:
        """Return the certificates between gateway and services; None where they speak plainly."""
        if self.service_tls_cert is None:
            return None
        return TlsFiles(
            "services",
            ("SERVICE_TLS_CA_CERT", "SERVICE_TLS_CERT with SERVICE_TLS_KEY"),
            self.service_tls_ca_cert,
            self.service_tls_cert,
            self.service_tls_key,
        )

    @model_validator(mode="after")
    def _check_service_tls(self) -> Self:
        names = ("service_tls_ca_cert", "service_tls_cert", "service_tls_key")
        if len({getattr(self, name) is None for name in names}) > 1:
            raise ValueError(f"{', '.join(names).upper()}: give all three, or none")
        if (files := self.service_tls) is not None:
            check_settings_of(files)
        scheme = f"{self._scheme}://"
        for service in SERVICES:
            urls = getattr(self, f"{service}_url").split(",")
            if any(url.strip() and not url.strip().startswith(scheme) for url in urls):
                name = f"{service}_url".upper()
                raise ValueError(f"{name}: begin with https:// with SERVICE_TLS_CERT, else http://")
        return self

    @property
    def _scheme(self) -> str:
        return "http" if self.service_tls_cert is None else "https"

    def url_of(self, service: str) -> str:
        """Return the base address of a service: its own variable, else loopback and its port."""
        given: str = getattr(self, f"{service}_url")
        own_port = getattr(self, f"{service}_port")
        return given.rstrip("/") or f"{self._scheme}://127.0.0.1:{own_port}"


class ServiceSettings(ProcessSettings, PostgresSettings):
    """What a service with a schema of its own reads beside that."""

    database_url: SecretStr
    owner_database_url: SecretStr | None = None
    journal_signing_key: HexKey
    journal_folder: Path | None = None  # Where the newest checkpoint is kept beside the database.
    journal_export: bool = False  # To `export` in that folder, as JSON lines.
    journal_export_max_mb: int = Field(default=64, ge=1, le=1024)
    archive_folder: FilePath = None  # Of archives; without it nothing leaves the journal.
    archive_encryption_key: OptionalFileKey = None
    archive_encryption_key_previous: FileKeys = SecretStr("")
    retention_transactions_years: int = Field(default=7, ge=1, le=100)  # Of the journal.
    gateway_key_previous: HexKeys = SecretStr("")  # Of gateways that have not changed it yet.
    gateway_key: HexKey  # Of the proof that a request came through the gateway.
    pg_pool_size: int = Field(default=20, ge=1, le=200)
    pg_max_overflow: int = Field(default=30, ge=0, le=200)
    pg_pool_recycle: int = Field(default=1800, ge=1)
    metrics_engine: Literal["own", "instrumentator"] = "own"
    statement_timeout_ms: int = Field(default=15_000, ge=100)
    slow_statement_ms: int = Field(default=1000, ge=1)  # One that takes longer is logged.

    @model_validator(mode="after")
    def _check_archives(self) -> Self:
        if self.archive_folder is not None and self.archive_encryption_key is None:
            raise ValueError("ARCHIVE_ENCRYPTION_KEY: needed with ARCHIVE_FOLDER")
        return self

    @classmethod
    def load(cls) -> Self:
        return load_settings(cls)


def load_settings(settings: type[SettingsT]) -> SettingsT:
    """Return the settings, or end the process with one line that names each wrong variable."""
    try:
        return settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"{'_'.join(str(part) for part in e['loc']).upper()}: {e['msg']}"
            if e["loc"]
            else e["msg"].removeprefix("Value error, ")  # Of several together; it names them.
            for e in error.errors()
        )
        sys.exit(f"configuration error: {wrong}")
    except SecretFileRefused as error:
        sys.exit(f"configuration error: {error}")


def package_folder(file: str) -> Path:
    """Return the folder of the package that this file belongs to."""
    return Path(file).resolve().parent
