from typing import Annotated

from fastapi import Depends, Query

from services.reporting.audit import service
from services.reporting.audit.schemas import (
    AuditPage,
    AuditQuery,
    AuditVerificationQuery,
    AuditVerificationRead,
)
from services.reporting.requests import Client
from shared.db import Database
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Session, feature_router, problems, requires
from shared.web.requests import get_archives, get_database, get_keeper, get_signing_key

router = feature_router("/api/audit", "audit")

CanAudit = Annotated[Principal, Depends(requires("audit:read"))]


@router.get("", responses=problems(InvalidCursor))
async def list_audit_entries(
    session: Session, _caller: CanAudit, query: Annotated[AuditQuery, Query()]
) -> AuditPage:
    """List the audit trail.

    What happened in every service, newest first.
    """
    return await service.list_entries(session, query)


@router.get("/verify")
async def verify_audit(
    _caller: CanAudit,
    client: Client,
    database: Annotated[Database, Depends(get_database)],
    signing_key: Annotated[SigningKey, Depends(get_signing_key)],
    keeper: Annotated[Keeper, Depends(get_keeper)],
    archives: Annotated[ArchiveFolder | None, Depends(get_archives)],
    query: Annotated[AuditVerificationQuery, Query()],
) -> AuditVerificationRead:
    """Verify the audit trail.

    Recomputes every service's signed checkpoints; names the first entry that was tampered with.
    """
    own = service.OwnJournal(database, signing_key, keeper, archives if query.archives else None)
    return await service.verify(own, client, query)
