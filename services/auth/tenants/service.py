from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors.rules import STRONG
from services.auth.tenants import queries
from services.auth.tenants.errors import CurrencyFixed, TenantNotFound, TenantSlugTaken
from services.auth.tenants.models import Tenant
from services.auth.tenants.rules import Registration
from services.auth.tenants.schemas import TenantCreate, TenantPage, TenantRead, TenantUpdate
from services.auth.users import service as users
from services.auth.users.rules import Language
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.tenants import (
    DEFAULT_TENANT_ID,
    DEFAULT_TENANT_SLUG,
    TenantChanged,
    TenantCreated,
    TenantProvisioned,
)
from shared.db.conflicts import conflicts
from shared.etag import require_match
from shared.ids import new_id
from shared.pagination import Keyset, PageQuery
from shared.principal import Principal

_OLDEST_FIRST = Keyset("id", UUID)  # Ids grow with time.


async def list_tenants(session: AsyncSession, asked: PageQuery) -> TenantPage:
    """Return one page of tenants, oldest first. Raises InvalidCursor."""
    found = await queries.list_tenants(
        session, after=_OLDEST_FIRST.after(asked.cursor), limit=asked.limit + 1
    )
    tenants, next_cursor = _OLDEST_FIRST.page(found, asked.limit, lambda tenant: (tenant.id,))
    return TenantPage(
        items=[TenantRead.model_validate(tenant) for tenant in tenants], next_cursor=next_cursor
    )


async def list_ids(session: AsyncSession) -> Sequence[UUID]:
    """Return the ids of all tenants."""
    return await queries.list_ids(session)


async def find_tenant(session: AsyncSession, tenant_id: UUID) -> Tenant | None:
    """Return the tenant, or None."""
    return await queries.find_tenant(session, tenant_id)


async def get_tenant(session: AsyncSession, tenant_id: UUID) -> Tenant:
    """Return the tenant. Raises TenantNotFound."""
    tenant = await find_tenant(session, tenant_id)
    if tenant is None:
        raise TenantNotFound
    return tenant


async def find_by_slug(session: AsyncSession, slug: str | None) -> Tenant | None:
    """Return the tenant of this short name; without one, the default tenant."""
    return await queries.find_by_slug(session, slug or DEFAULT_TENANT_SLUG)


async def add_tenant(
    session: AsyncSession, wanted: TenantCreate, *, vault: Vault, caller: Principal, now: datetime
) -> Tenant:
    """Create a tenant and its first administrator, who can sign in at once.

    Raises TenantSlugTaken, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    password_hash = await vault.passwords.hash_new(
        wanted.admin_password, personal=(wanted.admin_email, wanted.slug, wanted.name)
    )
    tenant = Tenant(
        id=new_id(),
        slug=wanted.slug,
        name=wanted.name,
        language=wanted.language or vault.settings.default_language,
        currency=wanted.currency,
        country=wanted.country,
        time_zone=wanted.time_zone,
        registration=wanted.registration,
        created_at=now,
    )
    session.add(tenant)
    journal.record(session, TenantProvisioned.of(tenant))
    with conflicts({"tenants_slug_key": TenantSlugTaken()}):
        await session.flush()  # The tenant must be there before anything is in it.
    async with queries.inside(session, tenant.id, back_to=caller.tenant_id):
        journal.record(session, TenantCreated.of(tenant))
        await users.register_user(
            session,
            users.NewUser(
                wanted.admin_email,
                password_hash,
                role="admin",
                password_change_required=wanted.admin_password_change_required,
            ),
            origin="tenant",
            tenant_id=tenant.id,
            vault=vault,
            now=now,
        )
    return tenant


async def change_tenant(
    session: AsyncSession,
    tenant_id: UUID,
    wanted: TenantUpdate,
    if_match: str | None,
    *,
    caller: Principal,
    now: datetime,
) -> Tenant:
    """Change a tenant's settings; what its members are shown and asked follows within a second.

    Where all must have a second factor now, the tokens of who came in without one end.
    Raises TenantNotFound, PreconditionFailed, CurrencyFixed.
    """
    tenant = await queries.lock_tenant(session, tenant_id)
    if tenant is None:
        raise TenantNotFound
    require_match(if_match, tenant.version)
    if wanted.currency not in {None, tenant.currency}:
        raise CurrencyFixed(currency=tenant.currency)
    before = _settings_of(tenant)
    _set(tenant, wanted)
    after = {name: value for name, value in _settings_of(tenant).items() if value != before[name]}
    if not after:
        return tenant
    tenant.version += 1
    # In the tenant's own journal, whoever changes it.
    async with queries.inside(session, tenant.id, back_to=caller.tenant_id):
        changed = TenantChanged(
            tenant_id=tenant.id,
            slug=tenant.slug,
            before={name: before[name] for name in after},
            after=after,
        )
        journal.record(session, changed)
        if "language" in after:
            await queries.note_language_changed(session, now)
        if after.get("two_factor_required"):
            await queries.end_tokens_without(session, sorted(STRONG), now)
    return tenant


async def add_default_tenant(
    session: AsyncSession,
    *,
    language: Language,
    currency: str,
    registration: Registration,
    now: datetime,
) -> None:
    """Create the default tenant unless it is there; `session` works for it already.

    Holds back every other transaction that does this, until this one ends.
    """
    await queries.lock_installation(session)
    if await queries.find_tenant(session, DEFAULT_TENANT_ID) is not None:
        return
    tenant = Tenant(
        id=DEFAULT_TENANT_ID,
        slug=DEFAULT_TENANT_SLUG,
        name="Default",
        language=language,
        currency=currency,
        country=None,
        time_zone="UTC",
        registration=registration,
        created_at=now,
    )
    session.add(tenant)
    journal.record(session, TenantCreated.of(tenant))
    await session.flush()  # The tenant must be there before anything is in it.


def _set(tenant: Tenant, wanted: TenantUpdate) -> None:
    tenant.name = wanted.name or tenant.name
    tenant.language = wanted.language or tenant.language
    tenant.time_zone = wanted.time_zone or tenant.time_zone
    tenant.registration = wanted.registration or tenant.registration
    if "country" in wanted.model_fields_set:
        tenant.country = wanted.country
    if wanted.two_factor_required is not None:
        tenant.two_factor_required = wanted.two_factor_required


def _settings_of(tenant: Tenant) -> dict[str, str | bool | None]:
    """Return what an administrator may change, by the names that the journal gives it."""
    return {
        "title": tenant.name,
        "language": tenant.language,
        "country": tenant.country,
        "time_zone": tenant.time_zone,
        "registration": tenant.registration,
        "two_factor_required": tenant.two_factor_required,
    }
