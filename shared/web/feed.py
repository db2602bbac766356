"""The feed: a service's journal as others may read it, in an order that never skips a commit."""

from typing import Annotated

from fastapi import Depends, Query, Response
from sqlalchemy import text

from shared.db import Database
from shared.errors import JournalArchived
from shared.journal import ArchivedNumbers, JournalDigests, JournalVerification, digests
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.archived import is_archived_after, list_archived_numbers
from shared.journal.checkpoint import become_verifier
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.journal.readers import note_reader
from shared.journal.verification import find_verified, verify
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.requests import get_archives, get_database, get_keeper, get_signing_key

router = service_router("journal")
PAGE_LIMIT_MAX = 2000
DIGESTS_LIMIT_MAX = 10_000

CanRead = Annotated[ServiceCaller, Depends(service_scope("journal:read"))]


@router.get("")
async def read_feed(
    caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    after_xid: Annotated[int, Query(ge=0)] = 0,
    after_seq: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT_MAX)] = 1000,
) -> Response:
    """Entries after a cursor, oldest first; `head_seq` tells how far the journal reaches.

    PostgreSQL writes the page as it is sent: every entry passes here once for each follower. Who
    asks for entries that are in archives is refused, and never given those after them.
    """
    cursor = {"after_xid": after_xid, "after_seq": after_seq, "most": limit}
    async with database.engine.begin() as connection:
        await note_reader(connection, caller.sub, (after_xid, after_seq))
        page: str = (await connection.execute(_FEED, cursor)).scalar_one()
        # Asked last: a month that left meanwhile is not missing from a page unnoticed.
        if await is_archived_after(connection, (after_xid, after_seq)):
            raise JournalArchived
    return Response(page, media_type="application/json")


@router.get("/digests")
async def read_digests(
    _caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    signing_key: Annotated[SigningKey, Depends(get_signing_key)],
    after_xid: Annotated[int, Query(ge=0)] = 0,
    after_seq: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=DIGESTS_LIMIT_MAX)] = 1000,
    details: Annotated[bool, Query()] = False,  # noqa: FBT002 - a parameter of the query.
) -> JournalDigests:
    """Digests of the entries after a cursor, oldest first, so that copies can be compared."""
    async with database.engine.connect() as connection:
        await become_verifier(connection, signing_key)
        cursor = (after_xid, after_seq)
        return await digests.read_digests(
            connection, signing_key.service, cursor, limit, details=details
        )


@router.get("/archived")
async def list_archived_entries(
    _caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    signing_key: Annotated[SigningKey, Depends(get_signing_key)],
    after: Annotated[int, Query(ge=0)] = 0,
) -> ArchivedNumbers:
    """Numbers of entries that are in archives, by checkpoints after one; `next` goes on."""
    async with database.engine.connect() as connection:
        return await list_archived_numbers(connection, signing_key.public, after)


@router.get("/verify")
async def verify_journal(
    _caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    signing_key: Annotated[SigningKey, Depends(get_signing_key)],
    keeper: Annotated[Keeper, Depends(get_keeper)],
    folder: Annotated[ArchiveFolder | None, Depends(get_archives)],
    full: Annotated[bool, Query()] = True,  # noqa: FBT002 - a parameter of the query.
    archives: Annotated[bool, Query()] = False,  # noqa: FBT002 - same.
) -> JournalVerification:
    """Recompute every checkpoint; name the first entry changed, removed or inserted.

    With full=false only those after the last one that a worker verified; with archives=true those
    too that are in archives.
    """
    since = None if full else await find_verified(database, signing_key)
    found = await verify(
        database, signing_key, keeper=keeper, since=since, archives=folder if archives else None
    )
    return JournalVerification.model_validate(found)


_FEED = text("""
    SELECT json_build_object(
        'entries', coalesce(json_agg(json_build_object(
            'xid', xid::text::bigint, 'seq', seq, 'id', id, 'tenant_id', tenant_id,
            'recorded_at', recorded_at, 'actor', actor, 'request_id', request_id,
            'type', type, 'subject', subject, 'data', data) ORDER BY xid, seq), '[]'),
        'head_seq', (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM journal_seq))::text
    FROM journal_feed(CAST(:after_xid AS xid8), :after_seq, :most)""")
