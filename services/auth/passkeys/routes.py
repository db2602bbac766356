from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.auth.factors.errors import (
    PasskeyKnown,
    PasskeyLimit,
    PasskeyNotFound,
    PasskeyRefused,
    PasskeysUnavailable,
    TwoFactorCompulsory,
)
from services.auth.passkeys import service
from services.auth.passkeys.schemas import (
    PasskeyAddedEnrollingRead,
    PasskeyAddedRead,
    PasskeyAddedSignedInRead,
    PasskeyCreate,
    PasskeyOptionsRead,
    PasskeyRead,
    PasskeysRead,
    PasskeyUpdate,
)
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.tenants.errors import TenantNotFound
from services.auth.users.errors import UserNotFound
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.permissions import SignedIn
from shared.web.route import SmallRoute

router = feature_router("/api/auth/passkeys", "two-factor", route_class=SmallRoute)

Enrolling = Annotated[Principal, Depends(requires(fresh=True, enrolling=True))]
FreshlyProven = Annotated[Principal, Depends(requires(fresh=True))]


@router.post(
    "/setup", responses=problems(UserNotFound, TenantNotFound, PasskeysUnavailable, PasskeyLimit)
)
async def begin_passkey_setup(
    caller: Enrolling,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> PasskeyOptionsRead:
    """Begin to add a passkey.

    The answer has the options for `navigator.credentials.create`; send what that gives to
    `/api/auth/passkeys/verify`.
    """
    response.headers["Cache-Control"] = "no-store"
    async with transactions.open_as(caller) as session:
        return await service.begin_setup(session, vault=vault, caller=caller, now=now)


@router.post(
    "/verify",
    status_code=201,
    responses=problems(
        UserNotFound,
        TenantNotFound,
        PasskeysUnavailable,
        PasskeyRefused,
        PasskeyLimit,
        PasskeyKnown,
    ),
)
async def add_passkey(
    body: PasskeyCreate,
    caller: Enrolling,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> PasskeyAddedSignedInRead | PasskeyAddedEnrollingRead | PasskeyAddedRead:
    """Finish adding a passkey.

    It is a second factor from now on. With the first factor there are recovery codes, shown this
    once; with an enrolment token this finishes the sign-in: the answer has the tokens too.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.add_passkey(transactions, body, vault=vault, caller=caller, now=now)


@router.get("")
async def list_passkeys(session: Session, caller: SignedIn, vault: Secrets) -> PasskeysRead:
    """List your passkeys.

    With their names and when each was last used, the oldest first.
    """
    return await service.list_passkeys(session, vault=vault, caller=caller)


@router.patch("/{passkey_id}", responses=problems(PasskeyNotFound))
async def rename_passkey(
    passkey_id: UUID, body: PasskeyUpdate, session: Session, caller: SignedIn, vault: Secrets
) -> PasskeyRead:
    """Rename a passkey.

    The name is for you alone.
    """
    return await service.rename_passkey(session, passkey_id, body, vault=vault, caller=caller)


@router.delete(
    "/{passkey_id}",
    status_code=204,
    responses=problems(UserNotFound, TenantNotFound, PasskeyNotFound, TwoFactorCompulsory),
)
async def remove_passkey(
    passkey_id: UUID, session: Session, caller: FreshlyProven, vault: Secrets, now: Now
) -> None:
    """Remove a passkey.

    It is good for nothing from now on. Where a second factor is compulsory, the last one stays.
    """
    await service.remove_passkey(session, passkey_id, vault=vault, caller=caller, now=now)
