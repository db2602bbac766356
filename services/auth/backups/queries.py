from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_newest(session: AsyncSession) -> Mapping[str, Mapping[str, Any]]:
    """Return the newest entry of each type about backups, with `recorded_at`, by its type."""
    rows = await session.execute(_NEWEST)
    return {row.type: row.data | {"recorded_at": row.recorded_at} for row in rows}


# The types stand in the text, since the index has them only then.
_NEWEST = text(
    " UNION ALL ".join(
        f"(SELECT type, recorded_at, data FROM journal WHERE type = 'auth.backup-{each}.v1' "  # noqa: S608 - our own words.
        "ORDER BY seq DESC LIMIT 1)"
        for each in ("made", "failed", "drilled", "restored")
    )
)
