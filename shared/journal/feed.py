"""The feed: a service's journal as others may read it, in an order that never skips a commit."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Database
from shared.journal import checkpoint
from shared.journal.entries import JournalEntry
from shared.web.internal import ServiceCaller, service_scope
from shared.web.requests import get_database, get_signing_key

router = APIRouter(prefix="/internal/journal", tags=["internal"], include_in_schema=False)
PAGE_LIMIT_MAX = 2000

CanRead = Annotated[ServiceCaller, Depends(service_scope("journal:read"))]


@router.get("")
async def read_feed(
    _caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    after_xid: Annotated[int, Query(ge=0)] = 0,
    after_seq: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT_MAX)] = 1000,
) -> Response:
    """Entries after a cursor, oldest first; `head_seq` tells how far the journal reaches."""
    async with AsyncSession(database.engine) as session:
        entries = await read_entries(session, after_xid, after_seq, limit)
        head_seq = await session.scalar(_HEAD)
    listed = b",".join(entry.model_dump_json().encode() for entry in entries)
    return Response(
        b'{"entries":[%b],"head_seq":%d}' % (listed, head_seq or 0), media_type="application/json"
    )


@router.get("/verify")
async def verify_journal(
    _caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    signing_key: Annotated[checkpoint.SigningKey, Depends(get_signing_key)],
) -> dict[str, Any]:
    """Recompute every checkpoint; name the first entry changed, removed or inserted."""
    return (await checkpoint.verify(database, signing_key)).as_json()


async def read_entries(
    session: AsyncSession, after_xid: int, after_seq: int, limit: int
) -> list[JournalEntry]:
    """Return up to `limit` entries after the cursor that no running transaction can precede."""
    rows = await session.execute(
        _FEED, {"after_xid": after_xid, "after_seq": after_seq, "most": limit}
    )
    return [JournalEntry.model_validate(dict(row)) for row in rows.mappings()]


_FEED = text("SELECT * FROM journal_feed(CAST(:after_xid AS xid8), :after_seq, :most)")
_HEAD = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM journal_seq")
