from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.auth.personal_data import service
from services.auth.personal_data.errors import ErasureHeld, OwnErasure
from services.auth.personal_data.schemas import PersonalDataRead
from services.auth.requests import Secrets
from services.auth.users import service as users
from services.auth.users.errors import LastAdministrator, UserNotFound
from services.auth.users.schemas import UserRead
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.route import SmallRoute

router = feature_router("/api/users", "users", route_class=SmallRoute)
own = feature_router("/api/auth/me", "account", route_class=SmallRoute)

SignedInNow = Annotated[Principal, Depends(requires(fresh=True))]
CanManageNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]


@router.get("/{user_id}/personal-data", responses=problems(UserNotFound))
async def export_person(
    user_id: UUID,
    response: Response,
    session: Session,
    vault: Secrets,
    _caller: CanManageNow,
    now: Now,
    language: Language,
) -> PersonalDataRead:
    """Export what is kept of a person.

    Account, sign-ins, factors, keys, and what the company's directory and provider said; no secret.
    In stock, ledger and audit trail a person is an id. It is journaled.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.export_person(session, user_id, vault=vault, now=now, language=language)


@router.post(
    "/{user_id}/erase",
    responses=problems(UserNotFound, OwnErasure, LastAdministrator, ErasureHeld),
)
async def erase_person(
    user_id: UUID,
    session: Session,
    vault: Secrets,
    caller: CanManageNow,
    now: Now,
    language: Language,
) -> UserRead:
    """Erase a person.

    For good: name, address, sign-ins, factors, keys and mails go, and whoever is signed in is out
    at once. The id stays, so that ledger and audit trail stay whole; the address is free.
    """
    user = await service.erase_person(session, user_id, vault=vault, caller=caller, now=now)
    return users.to_read(user, vault=vault, language=language)


@own.get("/personal-data", responses=problems(UserNotFound))
async def export_account(
    response: Response,
    session: Session,
    vault: Secrets,
    caller: SignedInNow,
    now: Now,
    language: Language,
) -> PersonalDataRead:
    """Export what is kept of you.

    Your account, sign-ins, factors, keys, and what your company's directory and provider said; no
    secret. In stock, ledger and audit trail you are an id. It is journaled.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.export_person(session, caller.id, vault=vault, now=now, language=language)
