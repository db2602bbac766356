"""What the mirror reads from the environment."""

import os

from pydantic import Field, PositiveFloat, SecretStr

from deploy.local import secrets
from deploy.local.instance import Instance
from deploy.local.settings import STATE_DIR, read_settings
from deploy.mirror.errors import MirrorError
from deploy.mirror.servers import Ends
from shared.settings import ProcessSettings, load_settings


class Settings(ProcessSettings):
    """Where both databases are, and what the job that watches them does."""

    superuser_database_url: SecretStr | None = None  # Of the primary.
    mirror_database_url: SecretStr | None = None  # Of the mirror, as superuser.
    mirror_primary_url: SecretStr | None = None  # How the mirror reaches the primary.
    pg_database: str = "stock"
    mirror_wal_keep_mb: int = Field(default=4096, ge=64)
    mirror_interval_s: PositiveFloat = 10.0
    mirror_check_interval_s: PositiveFloat = 21_600.0

    @property
    def ends(self) -> Ends:
        """Return where both are. Raises MirrorError where one is not named."""
        if self.superuser_database_url is None:
            raise MirrorError("The primary is not known: start it, or set SUPERUSER_DATABASE_URL.")
        if self.mirror_database_url is None:
            raise MirrorError("No mirror is configured: set MIRROR_DATABASE_URL.")
        seen = self.mirror_primary_url
        return Ends(
            primary=self.superuser_database_url.get_secret_value(),
            mirror=self.mirror_database_url.get_secret_value(),
            primary_from_mirror=seen.get_secret_value() if seen else "",
            database=self.pg_database,
        )


def find_settings() -> Settings:
    """Return the settings; the local stack that runs here is the primary unless one is named.

    Ends the process with one line where a setting is wrong.
    """
    path = STATE_DIR / "secrets.env"
    note = Instance(STATE_DIR).find() if path.exists() else None
    if note is not None:
        given = read_settings().environment
        known = {
            "METRICS_TOKEN": secrets.read(path).get("METRICS_TOKEN", ""),
            "SUPERUSER_DATABASE_URL": note.superuser_dsn,
        }
        os.environ.update({name: given.get(name) or value for name, value in known.items()})
    return load_settings(Settings)
