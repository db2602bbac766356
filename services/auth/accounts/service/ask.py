"""What somebody unknown asks for: taken down, and done by the worker.

The answer is the same, and comes as fast, whether there is such an account, such a tenant, or not.
"""

import json
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.errors import InvitationNeeded, RegistrationClosed
from services.auth.accounts.models import Errand
from services.auth.accounts.rules import Kind
from services.auth.accounts.schemas import AddressInput, AskedRead, RegistrationCreate
from services.auth.settings import RegistrationPolicy
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.users.rules import ROLE_OF_THE_REGISTERED, scopes_of
from services.auth.users.schemas import UserRead
from services.auth.vault import Vault
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.ids import new_id
from shared.security.sealing import place

ERRAND = "auth.errands.asked"


async def register(
    transactions: Transactions, wanted: RegistrationCreate, *, vault: Vault, now: datetime
) -> UserRead:
    """Take down that somebody wants an account; return what it will be.

    Nothing is looked up: whether the address is taken is told by mail, to its owner alone.
    Raises RegistrationClosed, InvitationNeeded, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    _require_open(vault.settings.registration_policy)
    # By what was asked alone: words of the tenant's own would tell whether it is there.
    password_hash = await vault.passwords.hash_new(
        wanted.password, personal=(wanted.email, wanted.name or "", wanted.tenant or "")
    )
    user_id = new_id()
    asked = {
        "user_id": str(user_id),
        "email": wanted.email,
        "password_hash": password_hash,
        "name": wanted.name,
        "language": wanted.language,
    }
    await _take_down(transactions, "registration", wanted.tenant, asked, vault=vault, now=now)
    return UserRead(
        id=user_id,
        email=wanted.email,
        name=wanted.name,
        role=ROLE_OF_THE_REGISTERED,
        scopes=sorted(scopes_of(ROLE_OF_THE_REGISTERED, in_default_tenant=False)),
        locations=None,
        language=wanted.language,
        locked=False,
        status="unverified",
        version=1,
        created_at=now,
        erased_at=None,
        unreadable=[],
    )


async def ask(
    transactions: Transactions,
    kind: Literal["verification", "reset"],
    wanted: AddressInput,
    *,
    vault: Vault,
    now: datetime,
) -> AskedRead:
    """Take down that somebody wants a mail with a token."""
    asked: dict[str, str | None] = {"email": wanted.email}
    await _take_down(transactions, kind, wanted.tenant, asked, vault=vault, now=now)
    return AskedRead(accepted=True)


async def _take_down(
    transactions: Transactions,
    kind: Kind,
    slug: str | None,
    asked: dict[str, str | None],
    *,
    vault: Vault,
    now: datetime,
) -> None:
    async with transactions.open(None) as session:
        tenant = await tenants.find_by_slug(session, slug)
    # Of a tenant that is not there, an errand to nobody: it takes as long.
    tenant_id: UUID = DEFAULT_TENANT_ID if tenant is None else tenant.id
    session = await transactions.open_until_reply(tenant_id, slug or "", asked["email"] or "")
    asked = asked | {"nowhere": "1" if tenant is None else None}
    take_down(session, kind, tenant_id, asked, vault=vault, now=now)


def take_down(
    session: AsyncSession,
    kind: Kind,
    tenant_id: UUID,
    asked: dict[str, str | None],
    *,
    vault: Vault,
    now: datetime,
) -> None:
    """Keep, sealed, what somebody asked for, until the worker has done it."""
    errand_id = new_id()
    sealed = vault.sealer.seal(json.dumps(asked).encode(), place(ERRAND, tenant_id, errand_id))
    session.add(Errand(id=errand_id, kind=kind, asked_sealed=sealed, tries=0, due_at=now))


def _require_open(policy: RegistrationPolicy) -> None:
    """Raise RegistrationClosed or InvitationNeeded unless everybody may register."""
    match policy:
        case "closed":
            raise RegistrationClosed
        case "invite":
            raise InvitationNeeded
        case "open":
            return
