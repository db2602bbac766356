from typing import Annotated, Any

from fastapi import Depends, Query

from services.reporting.audit import service
from services.reporting.audit.schemas import AuditPage, AuditVerificationRead, ServiceName
from services.reporting.resources import Everything
from shared.pagination import LIMIT_DEFAULT, Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.schemas import Moment, ShortText
from shared.web import Session, feature_router, problems, requires

router = feature_router("/api/audit", "audit")

CanAudit = Annotated[Principal, Depends(requires("audit:read"))]


@router.get("", responses=problems(InvalidCursor))
async def list_audit(
    session: Session,
    _caller: CanAudit,
    service_name: Annotated[ServiceName | None, Query(alias="service")] = None,
    type_name: Annotated[ShortText | None, Query(alias="type")] = None,
    subject: ShortText | None = None,
    actor: ShortText | None = None,
    request_id: ShortText | None = None,
    from_time: Annotated[Moment | None, Query(alias="from")] = None,
    to_time: Annotated[Moment | None, Query(alias="to")] = None,
    q: Annotated[
        ShortText | None,
        Query(description="Any text of the entry; give `from` with it on long trails."),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> AuditPage:
    """List what happened in every service, newest first."""
    asked: dict[str, Any] = {
        "service": service_name,
        "type": type_name,
        "subject": subject,
        "actor": actor,
        "request_id": request_id,
        "from_time": from_time,
        "to_time": to_time,
        "q": q,
    }
    filters = {name: value for name, value in asked.items() if value is not None}
    return await service.list_entries(session, filters, cursor=cursor, limit=limit)


@router.get("/verify")
async def verify_audit(resources: Everything, _caller: CanAudit) -> AuditVerificationRead:
    """Recompute every service's signed checkpoints; name the first entry that was tampered with."""
    return await service.verify(resources)
