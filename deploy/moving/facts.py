"""What stands before the data of an export: of what it is, and what must fit where it goes."""

import hashlib
from collections.abc import Mapping
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from deploy.backups.errors import BackupError

LENGTH_MAX = 1 << 20
_SEALING = ("ENCRYPTION_KEY", "JOURNAL_SIGNING_KEY")
_OF_BACKUPS = "BACKUP_ENCRYPTION_KEY"  # Opens the file itself, so it fits or there is none of this.


class Facts(BaseModel):
    """The first line of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: int = 1
    name: str  # As 20261120T020000Z.
    cluster: str  # PostgreSQL's system identifier.
    release: str
    server_version: int  # As 180006.
    made_at: AwareDatetime
    revisions: Mapping[str, str]  # By service: up to where its schema was migrated.
    keys: Mapping[str, str]  # By name: a digest of each key without which the data mean nothing.
    heads: Mapping[str, str]  # By service: the newest checkpoint that was kept outside.

    def written(self) -> bytes:
        return self.model_dump_json().encode() + b"\n"

    @classmethod
    def read(cls, line: bytes, where: str) -> Self:
        """Return what was written. Raises BackupError."""
        try:
            return cls.model_validate_json(line)
        except ValidationError as error:
            raise BackupError(
                f"{where} is of a form that this release does not read; take one as new."
            ) from error

    def other_keys(self, secrets: Mapping[str, str]) -> list[str]:
        """Return the names of the keys that are others here, and not known as earlier ones."""
        return sorted(
            name
            for name, digest in self.keys.items()
            if digest
            not in {
                _digest(name, value)
                for value in (
                    secrets.get(name, ""),
                    *secrets.get(f"{name}_PREVIOUS", "").split(","),
                )
            }
        )


def digests_of(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return a digest of each key that seals or signs what lies in the database."""
    return {
        name: _digest(name, value)
        for name, value in secrets.items()
        if name.endswith(_SEALING) and name != _OF_BACKUPS
    }


def _digest(name: str, value: str) -> str:
    return hashlib.sha256(f"{name}\n{value}".encode()).hexdigest()[:16]
