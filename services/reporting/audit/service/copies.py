"""Whether the trail that people read is a true copy: every entry compared with its journal."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.audit import queries
from services.reporting.audit.rules import Numbers
from shared.db import Database
from shared.http import ServiceClient
from shared.journal import ArchivedNumbers, JournalDigests
from shared.journal.checkpoint import become_verifier
from shared.journal.notes import SigningKey

PAGE_LIMIT = 10_000
Cursor = tuple[int, int]
PAGE_TIMEOUT_S = 30.0


class CopyDifference(NamedTuple):
    """The first entry whose copy is not what its journal says."""

    kind: Literal["changed", "removed", "inserted"]
    seq: int
    entry_id: UUID | None


class CopyVerification(NamedTuple):
    entries: int  # Copies that are as in the journal.
    difference: CopyDifference | None


async def verify_copies(
    database: Database, key: SigningKey, client: ServiceClient, service: str
) -> CopyVerification:
    """Compare the copies of a service's journal with it, by digests. Raises Unavailable.

    Entries that are not followed yet may be missing; copies of those that are in archives are left
    alone, a copy without an entry may not be there,
    whoever wrote it, reporting itself included.
    """
    async with database.engine.connect() as connection:
        followed = await queries.find_cursor(connection, service)
        await become_verifier(connection, key)
        unknown = Numbers()
        async for numbers in queries.stream_numbers(connection, service):
            unknown.add(numbers)
        cursor, entries = (0, 0), 0
        while True:
            page = await _read(client, service, cursor, details=False)
            if not page.seqs:
                break
            entries += len(page.seqs)
            difference = await _compare(connection, client, service, (cursor, page), followed)
            if difference is not None:
                return CopyVerification(entries, difference)
            unknown.remove(page.seqs)
            cursor = (page.xids[-1], page.seqs[-1])
        async for numbers in _stream_archived(client, service):
            unknown.remove(numbers)
        invented = unknown.first()
        if invented is not None:
            row_id = await queries.find_copy(connection, service, invented)
            return CopyVerification(entries, CopyDifference("inserted", invented, row_id))
    return CopyVerification(entries, None)


async def _read(
    client: ServiceClient, service: str, cursor: Cursor, *, details: bool
) -> JournalDigests:
    found = await client.get_json(
        service,
        "/internal/journal/digests",
        {"after_xid": cursor[0], "after_seq": cursor[1], "limit": PAGE_LIMIT, "details": details},
        timeout_s=PAGE_TIMEOUT_S,
    )
    return JournalDigests.model_validate(found)


async def _stream_archived(client: ServiceClient, service: str) -> AsyncIterator[list[int]]:
    """Give the numbers of entries that went into archives."""
    after: int | None = 0
    while after is not None:
        found = await client.get_json(
            service, "/internal/journal/archived", {"after": after}, timeout_s=PAGE_TIMEOUT_S
        )
        page = ArchivedNumbers.model_validate(found)
        yield page.seqs
        after = page.next


async def _compare(
    connection: AsyncConnection,
    client: ServiceClient,
    service: str,
    at: tuple[Cursor, JournalDigests],
    followed: Cursor,
) -> CopyDifference | None:
    """Compare one page: by the digest of all, and where that differs entry by entry."""
    cursor, page = at
    if await queries.digest_copies(connection, service, page.seqs) == page.digest:
        return None
    page = await _read(client, service, cursor, details=True)
    copies: dict[int, list[queries.Copy]] = defaultdict(list)
    for copy in await queries.list_copies(connection, service, page.seqs):
        copies[copy.seq].append(copy)
    for xid, seq, digest in zip(page.xids, page.seqs, page.digests, strict=True):
        found = copies[seq]
        if not found and (xid, seq) <= followed:
            return CopyDifference("removed", seq, None)
        wrong = [copy for copy in found if copy.digest != digest]
        if wrong:
            kind: Literal["changed", "inserted"] = "changed" if len(found) == 1 else "inserted"
            return CopyDifference(kind, seq, wrong[0].id)
    return None
