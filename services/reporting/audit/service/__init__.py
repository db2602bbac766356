"""The unified audit trail: every service's journal in one list, and the proof of each."""

import asyncio
from datetime import datetime
from typing import NamedTuple

import httpx
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.audit import queries
from services.reporting.audit.schemas import (
    AuditEntryRead,
    AuditPage,
    AuditQuery,
    AuditVerificationQuery,
    AuditVerificationRead,
    CopyVerificationRead,
    JournalVerificationRead,
)
from services.reporting.audit.service.copies import verify_copies
from services.reporting.read_models.rules import PRODUCERS
from shared.db import Database
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.journal import JournalVerification, verification
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.pagination import Keyset

OWN = "reporting"
NEWEST = Keyset("newest", datetime, str, int)
VERIFY_TIMEOUT_S = 50.0  # Below the gateway's limit for this route.


async def list_entries(session: AsyncSession, query: AuditQuery) -> AuditPage:
    """Return one page of the trail, newest first. Raises InvalidCursor."""
    before = NEWEST.after(query.cursor)
    rows = await queries.list_entries(
        session, query.filters(), before=before, limit=query.limit + 1
    )
    page, next_cursor = NEWEST.page(
        rows, query.limit, lambda row: (row["recorded_at"], row["service"], row["seq"])
    )
    items = [AuditEntryRead.model_validate(dict(row)) for row in page]
    return AuditPage(items=items, next_cursor=next_cursor)


class OwnJournal(NamedTuple):
    """What reporting proves its own journal with."""

    database: Database
    key: SigningKey
    keeper: Keeper
    archives: ArchiveFolder | None


async def verify(
    own: OwnJournal, client: ServiceClient | None, query: AuditVerificationQuery
) -> AuditVerificationRead:
    """Have every service prove its journal, this one too, and tell the first difference of each."""
    if client is None:
        raise Unavailable
    found = await asyncio.gather(
        *(_verify_remote(client, service, query) for service in PRODUCERS),
        _verify_own(own, full=query.full),
    )
    services = dict(zip((*PRODUCERS, OWN), found, strict=True))
    trail = {
        service: await _verify_copies(own, client, service, full=query.full) for service in services
    }
    ok = all(journal.status == "verified" for journal in services.values()) and all(
        copy.status in {"verified", "skipped"} for copy in trail.values()
    )
    return AuditVerificationRead.model_validate({"ok": ok, "services": services, "trail": trail})


async def _verify_own(own: OwnJournal, *, full: bool) -> JournalVerificationRead:
    since = None if full else await verification.find_verified(own.database, own.key)
    found = await verification.verify(
        own.database, own.key, keeper=own.keeper, since=since, archives=own.archives
    )
    return _to_read(JournalVerification.model_validate(found))


async def _verify_copies(
    own: OwnJournal, client: ServiceClient, service: str, *, full: bool
) -> CopyVerificationRead:
    if not full:
        return CopyVerificationRead(status="skipped", entries=None, first_difference=None)
    try:
        found = await verify_copies(own.database, own.key, client, service)
    except (Unavailable, httpx.HTTPError, ValidationError):
        return CopyVerificationRead(status="unreachable", entries=None, first_difference=None)
    return CopyVerificationRead.model_validate(
        {
            "status": "broken" if found.difference else "verified",
            "entries": found.entries,
            "first_difference": found.difference,
        }
    )


async def _verify_remote(
    client: ServiceClient, service: str, query: AuditVerificationQuery
) -> JournalVerificationRead:
    try:
        found = await client.get_json(
            service,
            "/internal/journal/verify",
            query.model_dump(),
            timeout_s=VERIFY_TIMEOUT_S,
        )
        return _to_read(JournalVerification.model_validate(found))
    except (Unavailable, httpx.HTTPError, ValidationError):
        return JournalVerificationRead(
            status="unreachable",
            checkpoints=None,
            entries=None,
            head=None,
            first_difference=None,
            note=None,
            archives=[],
        )


def _to_read(found: JournalVerification) -> JournalVerificationRead:
    status = "verified" if found.ok else "broken"
    return JournalVerificationRead.model_validate({**dict(found), "status": status})
