from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.auth.api_keys import service
from services.auth.api_keys.errors import (
    ApiKeyExpiry,
    ApiKeyNotFound,
    ScopesNotGrantable,
    TooManyApiKeys,
)
from services.auth.api_keys.schemas import (
    ApiKeyAddedRead,
    ApiKeyCreate,
    ApiKeyExchange,
    ApiKeysRead,
)
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.users.errors import UserNotFound
from shared.contracts.auth.api_keys import ApiKeyTokenRead
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.internal import ServiceCaller, service_router, service_scope
from shared.web.permissions import SignedIn
from shared.web.route import SmallRoute

router = feature_router("/api/auth/api-keys", "api-keys", route_class=SmallRoute)
of_users = feature_router("/api/users", "users", route_class=SmallRoute)
internal_router = service_router("api-keys")

FreshlyProven = Annotated[Principal, Depends(requires(fresh=True))]
CanManage = Annotated[Principal, Depends(requires("user:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]
CanExchange = Annotated[ServiceCaller, Depends(service_scope("api_keys:exchange"))]


@router.get("")
async def list_api_keys(session: Session, caller: SignedIn, now: Now) -> ApiKeysRead:
    """List your API keys.

    Those that still work, the newest first.
    """
    return await service.list_keys(session, caller.id, now=now)


@router.post(
    "",
    status_code=201,
    responses=problems(UserNotFound, ScopesNotGrantable, ApiKeyExpiry, TooManyApiKeys),
)
async def add_api_key(
    body: ApiKeyCreate,
    response: Response,
    session: Session,
    vault: Secrets,
    caller: FreshlyProven,
    now: Now,
) -> ApiKeyAddedRead:
    """Create an API key.

    For a machine, with some of your rights. Its text is shown this once, and you are told by mail.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.add_key(session, body, vault=vault, caller=caller, now=now)


@router.delete("/{key_id}", status_code=204, responses=problems(ApiKeyNotFound))
async def revoke_api_key(key_id: UUID, session: Session, caller: SignedIn, now: Now) -> None:
    """Revoke an API key.

    It must be one of yours, and is refused at once.
    """
    await service.revoke_key(session, key_id, user_id=caller.id, now=now)


@of_users.get("/{user_id}/api-keys", responses=problems(UserNotFound))
async def list_api_keys_of_user(
    user_id: UUID, session: Session, _caller: CanManage, now: Now
) -> ApiKeysRead:
    """List the API keys of a user.

    Those that still work, the newest first.
    """
    return await service.list_keys_of_user(session, user_id, now=now)


@of_users.delete(
    "/{user_id}/api-keys/{key_id}", status_code=204, responses=problems(ApiKeyNotFound)
)
async def revoke_api_key_of_user(
    user_id: UUID, key_id: UUID, session: Session, _caller: CanManageNow, now: Now
) -> None:
    """Revoke an API key of a user.

    It is refused at once.
    """
    await service.revoke_key(session, key_id, user_id=user_id, now=now)


@internal_router.post("/exchange")
async def exchange_api_key(
    body: ApiKeyExchange,
    _caller: CanExchange,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> ApiKeyTokenRead:
    """Give the gateway an access token for a key that somebody sent."""
    return await service.exchange(transactions, body.key.get_secret_value(), vault=vault, now=now)
