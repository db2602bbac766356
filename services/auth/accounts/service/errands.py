"""The worker's side of what somebody unknown asked for."""

import json
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import queries
from services.auth.accounts.models import Errand
from services.auth.accounts.rules import retry_after
from services.auth.accounts.service.ask import ERRAND
from services.auth.accounts.service.texts import write
from services.auth.mail import service as mail
from services.auth.one_time import service as one_time
from services.auth.one_time.rules import Purpose
from services.auth.tenants import service as tenants
from services.auth.tenants.models import Tenant
from services.auth.throttle import service as throttle
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import ROLE_OF_THE_REGISTERED, lookup_form
from services.auth.vault import Vault
from shared.db import OpenFor
from shared.log import log
from shared.security.sealing import SealBroken, place

BATCH: Final = 20


class _Letter(NamedTuple):
    kind: str
    to: str | None  # None where the address of the account cannot be read: it gets none.
    language: str | None  # Of who gets it; without one, the tenant's.
    token: str = ""


async def do_errands(open_for: OpenFor, *, vault: Vault, clock: Callable[[], datetime]) -> int:
    """Do what is due, of all tenants; return how many were done."""
    async with open_for(None) as session:
        due = await queries.list_due(session, clock(), limit=BATCH)
    done = 0
    for tenant_id, errand_id in due:
        try:
            async with open_for(tenant_id) as session:
                done += await _do(session, tenant_id, errand_id, vault=vault, now=clock())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again.
            log.warning("an errand failed", errand_id=errand_id, reason=type(error).__name__)
            async with open_for(tenant_id) as session:
                await _put_off(session, errand_id, clock())
    return done


async def list_errands_of(
    session: AsyncSession, user: User, addresses: Collection[str], *, vault: Vault
) -> list[Errand]:
    """Return what the user asked for, or somebody for one of these addresses, and waits."""
    forms = {lookup_form(address) for address in addresses}
    found = []
    for errand in await queries.list_waiting(session):
        asked = _open(errand, user.tenant_id, vault) or {"email": ""}
        if lookup_form(asked["email"]) in forms or asked.get("user_id") == str(user.id):
            found.append(errand)
    return found


async def _do(
    session: AsyncSession, tenant_id: UUID, errand_id: UUID, *, vault: Vault, now: datetime
) -> bool:
    """Say whether there was something to do."""
    errand = await queries.take(session, errand_id, now)
    if errand is None:
        return False
    await session.delete(errand)
    asked = _open(errand, tenant_id, vault)
    if asked is None or asked.pop("nowhere"):
        return True
    index = vault.emails.of(lookup_form(asked["email"]), tenant_id)
    if not await throttle.may_mail(session, index, errand.kind, now=now):
        return True  # Silently: who asks so often is told nothing.
    tenant = await tenants.get_tenant(session, tenant_id)
    user = await users.find_by_email(session, asked["email"], tenant_id=tenant_id, vault=vault)
    match errand.kind:
        case "registration":
            await _register(session, tenant, user, asked, vault=vault, now=now)
        case "verification" if user is not None and users.allows(user, "verify"):
            await _mail_token(session, user, tenant, "verify", vault=vault, now=now)
        case "reset" if user is not None and users.allows(user, "reset"):
            await _mail_token(session, user, tenant, "reset", vault=vault, now=now)
        case "address":
            await _ask_at_new_address(session, tenant, user, asked, vault=vault, now=now)
        case _:
            pass
    return True


async def _ask_at_new_address(
    session: AsyncSession,
    tenant: Tenant,
    holder: User | None,
    asked: dict[str, Any],
    *,
    vault: Vault,
    now: datetime,
) -> None:
    """Send a token to the address that a user wants to have, or tell who has it already."""
    asker = await users.find_user(session, UUID(asked["user_id"]), lock=True)
    if asker is None or not users.allows(asker, "sign_in"):
        return
    if holder is None or holder.id == asker.id:
        token = await one_time.issue(
            session, asker, "address", email=asked["email"], vault=vault, now=now
        )
        letter = _Letter("address", asked["email"], asker.language, token)
    elif users.status_in(holder) == "active":
        letter = _Letter("address_taken", _stored(holder, vault), holder.language)
    else:
        return
    _mail(session, letter, tenant, vault=vault, now=now)


async def _register(
    session: AsyncSession,
    tenant: Tenant,
    user: User | None,
    asked: dict[str, Any],
    *,
    vault: Vault,
    now: datetime,
) -> None:
    """Open an account that can do nothing before its address is verified, or tell its owner."""
    if user is not None and users.status_in(user) == "unverified":
        # Nobody has shown that the address is his, and of two passwords one may be a stranger's,
        # whichever came last: none counts until one is set by a mail to a verified address.
        users.take_over(user, await vault.passwords.hash_unknown(), now=now)
    elif user is not None and users.status_in(user) != "deactivated":
        letter = _Letter("taken", _stored(user, vault), user.language)
        _mail(session, letter, tenant, vault=vault, now=now)
        return
    elif user is not None or tenant.registration == "closed":
        to = asked["email"] if user is None else _stored(user, vault)
        letter = _Letter("closed", to, asked["language"])
        _mail(session, letter, tenant, vault=vault, now=now)
        return
    else:
        new = users.NewUser(
            asked["email"],
            asked["password_hash"],
            ROLE_OF_THE_REGISTERED,
            asked["name"],
            asked["language"],
            is_verified=False,
            is_approved=False,
            user_id=UUID(asked["user_id"]),
        )
        user = await users.register_user(
            session, new, origin="registration", tenant_id=tenant.id, vault=vault, now=now
        )
    await _mail_token(session, user, tenant, "verify", vault=vault, now=now)


async def _mail_token(
    session: AsyncSession,
    user: User,
    tenant: Tenant,
    purpose: Purpose,
    *,
    vault: Vault,
    now: datetime,
) -> None:
    token = await one_time.issue(session, user, purpose, vault=vault, now=now)
    letter = _Letter(purpose, _stored(user, vault), user.language, token)
    _mail(session, letter, tenant, vault=vault, now=now)


def _stored(user: User, vault: Vault) -> str | None:
    """Return where mail to an account goes: its own address, never what somebody typed."""
    return users.to_read(user, vault=vault).email


def _mail(
    session: AsyncSession, letter: _Letter, tenant: Tenant, *, vault: Vault, now: datetime
) -> None:
    if letter.to is None:
        return
    text = write(
        letter.kind,
        letter.to,
        tenant=tenant.name,
        language=letter.language or tenant.language,
        settings=vault.settings,
        token=letter.token,
    )
    mail.post(session, text, tenant.id, vault=vault, now=now)


async def _put_off(session: AsyncSession, errand_id: UUID, now: datetime) -> None:
    errand = await queries.take(session, errand_id, now)
    if errand is None:
        return
    errand.tries += 1
    wait = retry_after(errand.tries)
    if wait is None:
        log.error("an errand is given up", errand_id=errand_id)
        await session.delete(errand)
    else:
        errand.due_at = now + wait


def _open(errand: Errand, tenant_id: UUID, vault: Vault) -> dict[str, Any] | None:
    try:
        opened = vault.sealer.open(errand.asked_sealed, place(ERRAND, tenant_id, errand.id))
    except SealBroken:
        log.error("an errand cannot be opened", errand_id=errand.id)
        return None
    asked: dict[str, Any] = json.loads(opened)
    return asked
