from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.journal.aside import FeedEntry


async def add_entries(service: str, session: AsyncSession, entries: Sequence[FeedEntry]) -> None:
    """Copy one tenant's entries of a service's journal; those that are here stay as they are."""
    await session.execute(_ADD, {"service": service, "entries": orjson.dumps(entries).decode()})


async def list_entries(
    session: AsyncSession,
    filters: dict[str, Any],
    *,
    before: tuple[datetime, str, int] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return entries, newest first, that match every filter given.

    filters may hold service, type, subject, actor, request_id, from_time, to_time and q.
    """
    conditions = [_CONDITIONS[name] for name in filters]
    parameters = {**filters, "limit": limit}
    if before is not None:
        conditions.append(_BEFORE)
        parameters |= dict(zip(_ORDER, before, strict=True))
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    rows = await session.execute(text(_SELECT + where + _NEWEST_FIRST), parameters)
    return rows.mappings().all()


_ORDER = ("before_time", "before_service", "before_seq")
_ADD = text("""
    INSERT INTO audit_entries (service, recorded_at, seq, id, actor, request_id, type, subject,
                               data)
    SELECT :service, * FROM json_to_recordset(CAST(:entries AS json)) AS e (
        recorded_at timestamptz, seq bigint, id uuid, actor text, request_id text, type text,
        subject text, data json)
    ON CONFLICT DO NOTHING""")
_SELECT = """
    SELECT service, seq, id, recorded_at, actor, request_id, type, subject, data
    FROM audit_entries
"""
_NEWEST_FIRST = "ORDER BY recorded_at DESC, service DESC, seq DESC LIMIT :limit"
_BEFORE = "(recorded_at, service, seq) < (:before_time, :before_service, :before_seq)"
_CONDITIONS = {
    "service": "service = :service",
    "type": "type = :type",
    "subject": "subject = :subject",
    "actor": "actor = :actor",
    "request_id": "request_id = :request_id",
    "from_time": "recorded_at >= :from_time",
    "to_time": "recorded_at < :to_time",
    "q": "strpos(lower(concat_ws(' ', type, subject, actor, data::text)), lower(:q)) > 0",
}
