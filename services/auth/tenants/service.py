from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.errors import TenantNotFound, TenantSlugTaken
from services.auth.passwords.service import accept
from services.auth.tenants import queries
from services.auth.tenants.models import Tenant
from services.auth.tenants.schemas import TenantCreate
from services.auth.users import service as users
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.tenants import (
    DEFAULT_TENANT_ID,
    DEFAULT_TENANT_SLUG,
    TenantCreated,
    TenantProvisioned,
)
from shared.ids import new_id
from shared.pagination import InvalidCursor, decode_cursor, encode_cursor
from shared.principal import Principal

SORT = "id"


async def create_with_administrator(
    session: AsyncSession, wanted: TenantCreate, *, vault: Vault, actor: Principal, now: datetime
) -> Tenant:
    """Create a tenant and its first administrator, who can sign in at once.

    Raises TenantSlugTaken, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    password = accept(
        wanted.admin_password.get_secret_value(),
        length_min=vault.settings.password_min_length,
        personal=(wanted.admin_email, wanted.slug, wanted.name),
    )
    password_hash = await vault.passwords.hash(password)
    tenant = Tenant(
        id=new_id(),
        slug=wanted.slug,
        name=wanted.name,
        language=wanted.language,
        currency=wanted.currency,
        created_at=now,
    )
    if not await queries.insert_unless_taken(session, tenant):
        raise TenantSlugTaken
    journal.record(session, TenantProvisioned(tenant_id=tenant.id, slug=tenant.slug))
    async with queries.inside(session, tenant.id, back_to=actor.tenant_id):
        journal.record(session, _created(tenant))
        await users.create(
            session,
            users.NewUser(wanted.admin_email, password_hash, role="admin"),
            origin="tenant",
            tenant_id=tenant.id,
            vault=vault,
            now=now,
        )
    return tenant


async def ensure_default(session: AsyncSession, *, currency: str, now: datetime) -> None:
    """Create the default tenant unless it is there; `session` works for it already.

    Holds back every other transaction that does this, until this one ends.
    """
    await queries.lock_installation(session)
    tenant = Tenant(
        id=DEFAULT_TENANT_ID,
        slug=DEFAULT_TENANT_SLUG,
        name="Default",
        language="en",
        currency=currency,
        created_at=now,
    )
    if await queries.insert_unless_taken(session, tenant):
        journal.record(session, _created(tenant))


async def get(session: AsyncSession, tenant_id: UUID) -> Tenant:
    """Return the tenant. Raises TenantNotFound."""
    tenant = await queries.find(session, tenant_id)
    if tenant is None:
        raise TenantNotFound
    return tenant


async def find_by_slug(session: AsyncSession, slug: str | None) -> Tenant | None:
    """Return the tenant of this short name; without one, the default tenant."""
    return await queries.find_by_slug(session, slug or DEFAULT_TENANT_SLUG)


async def page(
    session: AsyncSession, cursor: str | None, limit: int
) -> tuple[Sequence[Tenant], str | None]:
    """Return a page of tenants, oldest first, and the next one's cursor. Raises InvalidCursor."""
    found = await queries.page(session, _after(cursor), limit + 1)
    return found[:limit], encode_cursor(SORT, [found[limit - 1].id]) if len(found) > limit else None


def _after(cursor: str | None) -> UUID | None:
    values = decode_cursor(cursor, SORT, 1)
    try:
        return UUID(values[0]) if values else None
    except ValueError as error:
        raise InvalidCursor from error


def _created(tenant: Tenant) -> TenantCreated:
    return TenantCreated(
        tenant_id=tenant.id,
        slug=tenant.slug,
        title=tenant.name,
        language=tenant.language,
        currency=tenant.currency,
    )
