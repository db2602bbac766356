from typing import Annotated

from fastapi import Depends, Request

from services.auth.denials.schemas import DenialCreate
from shared.db import Stamp
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.requests import get_resources

internal_router = service_router("access-denied")

CanReport = Annotated[ServiceCaller, Depends(service_scope("denials:write"))]


@internal_router.post("", status_code=204)
async def note_denial(body: DenialCreate, _caller: CanReport, request: Request) -> None:
    """Journal that the gateway refused somebody for want of a scope."""
    stamp = Stamp(body.tenant_id, body.actor, body.request_id)
    denials = request.app.state.denials
    await denials.note(get_resources(request), stamp, body.route, body.needed)
