"""Whose account an identity at the provider is."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.identity_providers import queries
from services.auth.identity_providers.errors import (
    AddressNotVouched,
    IdentityTaken,
    NoAccountHere,
)
from services.auth.identity_providers.models import IdentityLink
from services.auth.sessions.errors import AccountLocked, ApprovalPending
from services.auth.tenants.models import Tenant
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import ROLE_OF_THE_REGISTERED, is_email
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.identity_providers import IdentityLinked
from shared.db.conflicts import conflicts
from shared.identifiers import is_visible

_NAME_LENGTH_MAX = 200


async def find_account(
    session: AsyncSession,
    tenant: Tenant,
    issuer: str,
    claims: dict[str, Any],
    *,
    vault: Vault,
    now: datetime,
) -> User:
    """Return the account that the identity has, or gets by its verified address.

    Raises AddressNotVouched, NoAccountHere, AccountLocked, ApprovalPending, IdentityTaken.
    """
    subject = f"{issuer} {claims['sub']}"
    index = vault.subjects.of(subject, tenant.id)
    link = await queries.find_link(session, vault.subjects.candidates(subject, tenant.id))
    if link is not None:
        user = await users.get_user(session, link.user_id)
        require_active(user)
        if link.subject_index != index:  # Of an earlier key, which may go one day.
            await queries.reindex_link(session, link.subject_index, index)
        return user
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise AddressNotVouched
    if not is_email(email):
        raise AddressNotVouched
    found = await users.find_by_email(session, email, tenant_id=tenant.id, vault=vault)
    if found is None:
        user = await _register(session, tenant, email, claims, vault=vault, now=now)
    else:
        user = await users.get_user(session, found.id, lock=True)
        await _welcome(session, user, tenant, vault=vault, now=now)
    require_active(user)
    session.add(IdentityLink(subject_index=index, user_id=user.id, linked_at=now))
    journal.record(session, IdentityLinked(user_id=user.id, issuer=issuer))
    with conflicts(
        {"identity_links_one_of_user": IdentityTaken(), "identity_links_pkey": IdentityTaken()}
    ):
        await session.flush()
    if found is not None:
        await users.tell(session, user, "identity_linked", vault=vault, now=now)
    return user


def require_active(user: User) -> None:
    """Raise NoAccountHere, AccountLocked or ApprovalPending unless the account may be used."""
    match users.status_in(user):
        case "active":
            return
        case "locked":
            raise AccountLocked
        case "pending":
            raise ApprovalPending
        case _:
            raise NoAccountHere


async def _register(
    session: AsyncSession,
    tenant: Tenant,
    email: str,
    claims: dict[str, Any],
    *,
    vault: Vault,
    now: datetime,
) -> User:
    """Open an account, where whoever registers gets in."""
    if tenant.registration != "open":
        raise NoAccountHere
    name = claims.get("name")
    spaced = " ".join(name.split()) if isinstance(name, str) else ""
    shown = "".join(filter(is_visible, spaced))[:_NAME_LENGTH_MAX].strip()
    new = users.NewUser(
        email,
        await vault.passwords.hash_unknown(),
        ROLE_OF_THE_REGISTERED,
        shown or None,
    )
    return await users.register_user(
        session, new, origin="identity_provider", tenant_id=tenant.id, vault=vault, now=now
    )


async def _welcome(
    session: AsyncSession, user: User, tenant: Tenant, *, vault: Vault, now: datetime
) -> None:
    """Let in who was invited; of an account that nobody had verified the password goes."""
    match users.status_in(user):
        case "invited" if tenant.registration != "closed":
            users.verify(session, user, is_approved=True, now=now)
        case "unverified":
            nobodys = await vault.passwords.hash_unknown()
            users.take_over(user, nobodys, now=now)
            users.verify(session, user, is_approved=tenant.registration == "open", now=now)
        case _:
            return
