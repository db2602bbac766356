"""What backups read from the environment."""

import json
from pathlib import Path
from typing import Annotated, Any

from croniter import croniter
from pydantic import AfterValidator, Field, PositiveFloat, SecretStr

from shared.sealed_files.keys import Keyring
from shared.settings import FileKeys, OneFileKey, ProcessSettings


def _is_schedule(value: str) -> str:
    if not croniter.is_valid(value) or len(value.split()) != 5:  # noqa: PLR2004 - cron's fields.
        raise ValueError("give a schedule as cron has it, in UTC, such as 0 2 * * *")
    return value


def _are_options(value: SecretStr) -> SecretStr:
    try:
        is_object = isinstance(json.loads(value.get_secret_value() or "{}"), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ValueError("give a JSON object of what fsspec takes for this kind of remote")
    return value


Schedule = Annotated[str, AfterValidator(_is_schedule)]


class Settings(ProcessSettings):
    """What the job reads that makes backups, and what restores and drills do."""

    database_url: SecretStr  # Of the role stock_backup, which may replicate and nothing else.
    backup_enabled: bool = True
    backup_schedule: Schedule = "0 2 * * *"
    backup_drill_schedule: Schedule = "0 4 * * 0"
    backup_retention_days: int = Field(default=30, ge=1, le=3650)
    backup_encryption_key: OneFileKey
    backup_encryption_key_previous: FileKeys = SecretStr("")
    backup_dir: Path = Path("backups")
    backup_spool_dir: Path = Path("data/wal")  # Of the write-ahead log until it is sealed.
    backup_remote: SecretStr | None = None  # An address of fsspec.
    backup_remote_options: Annotated[SecretStr, AfterValidator(_are_options)] = SecretStr("")
    backup_wal_interval_s: PositiveFloat = 10.0
    journal_folder: Path | None = None  # Where services keep the newest checkpoints.

    @property
    def keyring(self) -> Keyring:
        return Keyring(
            self.backup_encryption_key.get_secret_value(),
            self.backup_encryption_key_previous.get_secret_value(),
        )

    @property
    def remote_options(self) -> dict[str, Any]:
        options: dict[str, Any] = json.loads(self.backup_remote_options.get_secret_value() or "{}")
        return options
