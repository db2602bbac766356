from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.limits import service as limits
from services.auth.requests import Secrets
from services.auth.revocations import queries
from services.auth.revocations.rules import relevant_since
from shared.contracts.auth.revocations import RevocationsRead
from shared.db import Database
from shared.web import Now
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.requests import get_database

router = service_router("revocations")

CanRead = Annotated[ServiceCaller, Depends(service_scope("revocations:read"))]


@router.get("")
async def list_revocations(
    _caller: CanRead,
    database: Annotated[Database, Depends(get_database)],
    vault: Secrets,
    now: Now,
) -> RevocationsRead:
    """Tell what no longer holds of tokens not yet expired.

    Which of them are refused (sessions, and least versions by user), and which languages changed;
    beside that, how much tenants may ask for.
    """
    since = relevant_since(now, vault.settings.jwt_access_ttl)
    async with AsyncSession(database.engine) as session:
        return RevocationsRead(
            sessions=await queries.list_revoked_sessions(session, since),
            versions=await queries.list_raised_versions(session, since),
            languages=await queries.list_changed_languages(session, since),
            requests_per_minute=await limits.list_limits(session),
        )
