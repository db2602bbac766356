"""What is in a journal against what was promised, with no field to spare."""

import asyncpg
from pydantic import ConfigDict

from shared.contracts.catalogue import entries
from shared.journal import Entry
from tests.support.database import Databases

CLOSED: dict[str, type[Entry]] = {
    name: type(entry.__name__, (entry,), {"model_config": ConfigDict(extra="forbid")})
    for name, entry in entries().items()
}


async def assert_journal_is_as_promised(databases: Databases, service: str) -> None:
    """Assert that every entry that this run made a service write is as its contract says."""
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(f"SELECT type, subject, data FROM {service}.journal")  # noqa: S608 - our own name.
    await connection.close()
    for row in rows:
        entry = CLOSED[row["type"]].model_validate_json(row["data"])
        assert entry.subject == row["subject"], row["type"]
