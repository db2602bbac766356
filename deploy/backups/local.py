"""The local stack, as backups need it: where its database lies, and how its services are run."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.backups.errors import BackupError
from deploy.backups.settings import Settings
from deploy.local import secrets
from deploy.local.instance import Instance
from deploy.local.processes import Plan, backup_program
from deploy.local.settings import STATE_DIR, read_settings
from shared.settings import load_settings

_ABSENT_DSN = "postgresql://postgres@/postgres?host=/nowhere"
_ABSENT_REDIS = "unix:///nowhere/valkey.sock"


@dataclass(frozen=True)
class Place:
    """Where backups are made and restored: the local stack, or anywhere else by the environment."""

    settings: Settings
    local: Plan | None  # None: no stack was ever started here, so no service can be asked.

    @property
    def instance(self) -> Instance:
        return Instance(STATE_DIR)

    @property
    def data_dir(self) -> Path | None:
        """The folder of the embedded database; None where the database is somebody else's."""
        if self.local is None or self.local.settings.environment.get("SUPERUSER_DATABASE_URL"):
            return None
        return STATE_DIR / "postgres"

    @property
    def scratch(self) -> Path:
        return self.settings.backup_spool_dir.resolve().parent / "drill"

    @property
    def redis_url(self) -> str:
        """The person's own Redis, which outlives the stack; empty with the embedded one."""
        return self.local.settings.environment.get("REDIS_URL", "") if self.local else ""

    def require_running(self) -> None:
        """Raise BackupError where the database to be backed up is not there."""
        host = urlsplit(self.settings.database_url.get_secret_value()).query
        if host.endswith("%2Fnowhere") or "/nowhere" in host:
            raise BackupError("Nothing is running; start it with `make up`.")


def find_place() -> Place:
    """Return where this is; the environment that the stack would give is added to this process's.

    Ends the process with one line where a setting is wrong.
    """
    path = STATE_DIR / "secrets.env"
    if not path.exists():
        return Place(load_settings(Settings), None)
    settings = read_settings()
    keys, _ = secrets.load(path)  # A stack of an earlier release has no key of backups yet.
    chosen = {name: settings.environment.get(name) or value for name, value in keys.items()}
    note = Instance(STATE_DIR).find()
    dsn = (note and note.superuser_dsn) or settings.environment.get("SUPERUSER_DATABASE_URL")
    plan = Plan(
        settings,
        chosen,
        dsn or _ABSENT_DSN,
        (note and note.redis_url) or settings.environment.get("REDIS_URL") or _ABSENT_REDIS,
    )
    given = dict(backup_program(plan, "work").environment)
    os.environ.update(given)
    return Place(load_settings(Settings), plan)
