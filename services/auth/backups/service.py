"""What is known of backups: the signed journal has each that was made, failed, tried or used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.backups import queries
from services.auth.backups.rules import BackupState, state_of
from shared.contracts.auth.backups import (
    BackupDrilled,
    BackupFailed,
    BackupMade,
    BackupRestored,
)

_Newest = Mapping[str, Mapping[str, Any]]


async def get_state(session: AsyncSession, now: datetime) -> BackupState:
    """Return how backups stand; the session is the default tenant's, whose journal has them."""
    return _state(await queries.list_newest(session), now)


async def get_report(session: AsyncSession, now: datetime) -> dict[str, Any]:
    """Return how backups stand, and the last one made, failed, drilled and restored."""
    newest = await queries.list_newest(session)
    return {
        "state": _state(newest, now),
        "last": _told(newest, BackupMade.name, now, "ended_at"),
        "last_failed": _told(newest, BackupFailed.name, now, "recorded_at"),
        "last_drill": _told(newest, BackupDrilled.name, now, "recorded_at"),
        "last_restore": _told(newest, BackupRestored.name, now, "recorded_at"),
    }


def _state(newest: _Newest, now: datetime) -> BackupState:
    made, failed = newest.get(BackupMade.name), newest.get(BackupFailed.name)
    return state_of(
        _moment(made["ended_at"]) if made else None,
        _moment(failed["recorded_at"]) if failed else None,
        now,
    )


def _told(newest: _Newest, name: str, now: datetime, moment: str) -> dict[str, Any] | None:
    """Return an entry with the moment that counts, and its age."""
    entry = newest.get(name)
    if entry is None:
        return None
    at = _moment(entry[moment])
    said = {key: value for key, value in entry.items() if key not in {"recorded_at", "ended_at"}}
    return {"at": at, "age_s": round((now - at).total_seconds()), **said}


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
