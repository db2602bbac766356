"""Journals that are years old, and what must be true of them wherever retention is stopped."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from shared.clock import utc_now
from shared.db import Database
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.journal.retention import Retention
from shared.sealed_files.errors import SafekeepingError
from shared.sealed_files.keys import Keyring

SECRET = "ab" * 32
YEARS = 7
MONTHS = (date(2018, 1, 1), date(2018, 2, 1), date(2018, 3, 1))
_INSERT = """
    INSERT INTO reporting.journal
        (id, tenant_id, recorded_at, actor, request_id, type, subject, data)
    VALUES ($1, $2, $3, 'user:test', 'request-1', $4, 'note:1', CAST($5 AS json))"""
# Values that JSON and text handle in more than one way: they must come back letter for letter.
TEXTS = (
    '{"text":  "spaces  stay", "n": 1.50}',
    '{"b": 1, "a": 2, "a": 3}',
    '{"text": "caf\u00e9 \u2028 \\u0041"}',
    '"a text alone"',
    '{\n "lines": 2\r\n}',
)


async def fill_years(
    superuser: asyncpg.Connection, *, months: Sequence[date] = MONTHS, each: int = 6
) -> None:
    """Write entries of past months, the first of a month in the transaction of the one before."""
    for month in months:
        await superuser.execute("SELECT reporting.add_months($1, 0)", month)
    for number, month in enumerate(months):
        begin = utc_now().replace(
            year=month.year, month=month.month, day=1, hour=0, minute=0, second=0, microsecond=123
        )
        async with superuser.transaction():
            for place in range(each):
                data = TEXTS[place % len(TEXTS)]
                at = begin + timedelta(hours=place)
                await superuser.execute(_INSERT, uuid4(), uuid4(), at, "test.noted.v1", data)
            if number + 1 < len(months):
                late = begin + timedelta(days=32 - begin.day)
                late = late.replace(day=1)
                await superuser.execute(_INSERT, uuid4(), uuid4(), late, "test.noted.v1", "{}")


async def clear_years(superuser: asyncpg.Connection) -> None:
    """Drop the tables of months that are long past, attached or not."""
    names = await superuser.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'reporting'::regnamespace "
        "AND relname ~ '^(journal|audit_entries)_201[0-9]_[0-9]{2}$' AND relkind = 'r'"
    )
    for row in names:
        await superuser.execute(f"DROP TABLE reporting.{row['relname']}")


def retention(database: Database, key: SigningKey, path: Path, **more: object) -> Retention:
    folder = ArchiveFolder(path, key.service, Keyring(SECRET, variable="ARCHIVE_ENCRYPTION_KEY"))
    return Retention(database, key, Keeper(key.public), folder, YEARS, **more)  # type: ignore[arg-type]  # As given.


async def numbers_held(
    superuser: asyncpg.Connection, folder: ArchiveFolder, key: SigningKey
) -> set[int]:
    """Return the numbers of all entries that a table, or an archive that opens, still has."""
    tables = await superuser.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'reporting'::regnamespace "
        "AND relname ~ '^journal_(rest|[0-9]{4}_[0-9]{2})$' AND relkind = 'r'"
    )
    held: set[int] = set()
    for row in tables:
        held |= {r["seq"] for r in await superuser.fetch(f"SELECT seq FROM reporting.{row[0]}")}  # noqa: S608 - a table's own name.
    for month in MONTHS:
        try:
            manifest = folder.find_manifest(month, key.public)
            if manifest is not None:
                held |= {
                    json.loads(line)["seq"] for lines in folder.read(manifest) for line in lines
                }
        except (SafekeepingError, OSError):
            continue
    return held
