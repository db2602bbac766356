from pydantic import SecretStr

from shared.settings import PostgresSettings


class BootstrapSettings(PostgresSettings):
    """How the bootstrap reaches the server: as its superuser."""

    superuser_database_url: SecretStr
