from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.journal.aside import FeedEntry
from shared.journal.digests import DIGEST, DIGEST_OF_ALL


async def add_entries(service: str, session: AsyncSession, entries: Sequence[FeedEntry]) -> None:
    """Copy one tenant's entries of a service's journal; those that are here stay as they are."""
    await session.execute(_ADD, {"service": service, "entries": orjson.dumps(entries).decode()})


class Copy(NamedTuple):
    """A copy of an entry, by its digest in hex."""

    seq: int
    id: UUID
    digest: str


async def find_cursor(connection: AsyncConnection, service: str) -> tuple[int, int]:
    """Return up to where a service's journal is followed, as (xid, seq)."""
    row = (await connection.execute(_CURSOR, {"service": service})).one_or_none()
    return (row.xid, row.seq) if row else (0, 0)


async def stream_numbers(connection: AsyncConnection, service: str) -> AsyncIterator[list[int]]:
    """Give the numbers of all copies of a service's entries, many at a time, in order."""
    after = -(2**63)
    while numbers := list(
        await connection.scalars(
            _NUMBERS, {"service": service, "after": after, "most": NUMBERS_AT_ONCE}
        )
    ):
        yield numbers
        after = numbers[-1]


async def digest_copies(
    connection: AsyncConnection, service: str, seqs: Sequence[int]
) -> str | None:
    """Return the digest of all copies of these entries, as the journal's own is made."""
    digest: str | None = await connection.scalar(
        _DIGEST_COPIES, {"service": service, "seqs": list(seqs)}
    )
    return digest


async def list_copies(connection: AsyncConnection, service: str, seqs: Sequence[int]) -> list[Copy]:
    rows = await connection.execute(_LIST_COPIES, {"service": service, "seqs": list(seqs)})
    return [Copy(row.seq, row.id, row.digest) for row in rows]


async def find_copy(connection: AsyncConnection, service: str, seq: int) -> UUID | None:
    row_id: UUID | None = await connection.scalar(_FIND_COPY, {"service": service, "seq": seq})
    return row_id


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


NUMBERS_AT_ONCE = 50_000
_CURSOR = text("SELECT xid, seq FROM follower_cursors WHERE producer = :service")
_NUMBERS = text("""
    SELECT DISTINCT seq FROM reporting.audit_entries WHERE service = :service AND seq > :after
    ORDER BY seq LIMIT :most""")
_COPIES = f"""
    SELECT seq, id, {DIGEST} AS digest FROM reporting.audit_entries
    WHERE service = :service AND seq = ANY(CAST(:seqs AS bigint[]))"""  # noqa: S608 - our own text.
_DIGEST_COPIES = text(f"SELECT {DIGEST_OF_ALL} FROM ({_COPIES}) AS copy")  # noqa: S608 - same.
_LIST_COPIES = text(
    f"SELECT seq, id, encode(digest, 'hex') AS digest FROM ({_COPIES}) AS copy ORDER BY seq"  # noqa: S608 - same.
)
_FIND_COPY = text("""
    SELECT id FROM reporting.audit_entries WHERE service = :service AND seq = :seq LIMIT 1""")
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
