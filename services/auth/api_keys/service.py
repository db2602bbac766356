"""Keys for machines: made, listed, revoked, and exchanged for access tokens."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.api_keys import queries
from services.auth.api_keys.errors import (
    ApiKeyExpiry,
    ApiKeyInvalid,
    ApiKeyNotFound,
    ScopesNotGrantable,
    TooManyApiKeys,
)
from services.auth.api_keys.models import ApiKey
from services.auth.api_keys.rules import (
    KEYS_MAX,
    LIFETIME_DEFAULT,
    LIFETIME_MAX,
    PREFIX,
    ROLE,
    grantable,
)
from services.auth.api_keys.schemas import ApiKeyAddedRead, ApiKeyCreate, ApiKeyRead, ApiKeysRead
from services.auth.secret_text import SecretText
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.api_keys import ApiKeyAdded, ApiKeyRevoked, ApiKeyTokenRead
from shared.ids import new_id
from shared.principal import MACHINE, Principal
from shared.security.claims import UserClaims


async def list_keys(session: AsyncSession, user_id: UUID, *, now: datetime) -> ApiKeysRead:
    """Return a user's keys that still work, the newest first."""
    found = await queries.list_keys(session, user_id, now)
    return ApiKeysRead(items=[ApiKeyRead.model_validate(key) for key in found])


async def list_keys_of_user(session: AsyncSession, user_id: UUID, *, now: datetime) -> ApiKeysRead:
    """Return the keys of a user of the tenant, as administrators see them. Raises UserNotFound."""
    user = await users.get_user(session, user_id)
    return await list_keys(session, user.id, now=now)


async def add_key(
    session: AsyncSession, wanted: ApiKeyCreate, *, vault: Vault, caller: Principal, now: datetime
) -> ApiKeyAddedRead:
    """Make a key for the caller, whose text is never shown again.

    Raises UserNotFound, Unauthorized, ScopesNotGrantable, ApiKeyExpiry,
    TooManyApiKeys.
    """
    user = await users.get_caller(session, caller)  # One at a time, for their number.
    refused = frozenset(wanted.scopes) - grantable(users.scopes_in(user))
    if refused:
        raise ScopesNotGrantable(scopes=sorted(refused))
    expires_at = wanted.expires_at or now + LIFETIME_DEFAULT
    if not now < expires_at <= now + LIFETIME_MAX:
        raise ApiKeyExpiry
    if await queries.count_keys(session, user.id, now) >= KEYS_MAX:
        raise TooManyApiKeys(limit=KEYS_MAX)
    text = SecretText.new(PREFIX, caller.tenant_id, new_id())
    key = ApiKey(
        id=text.row_id,
        user_id=user.id,
        name=wanted.name,
        secret_index=text.index(vault.api_key_pepper),
        scopes=sorted(set(wanted.scopes)),
        created_at=now,
        expires_at=expires_at,
        last_used_at=None,
    )
    session.add(key)
    journal.record(session, ApiKeyAdded.of(key))
    await users.tell(session, user, "api_key_added", vault=vault, now=now)
    return ApiKeyAddedRead(**ApiKeyRead.model_validate(key).model_dump(), key=str(text))


async def revoke_key(session: AsyncSession, key_id: UUID, *, user_id: UUID, now: datetime) -> None:
    """End a key of a user; what it was exchanged for is refused at once. Raises ApiKeyNotFound."""
    if await queries.revoke(session, key_id, user_id, now) is None:
        raise ApiKeyNotFound
    journal.record(session, ApiKeyRevoked(key_id=key_id, user_id=user_id))


async def revoke_all_keys(session: AsyncSession, user_id: UUID, *, now: datetime) -> None:
    """End all keys of a user."""
    for key_id in await queries.revoke_all(session, user_id, now):
        journal.record(session, ApiKeyRevoked(key_id=key_id, user_id=user_id))


async def is_good(session: AsyncSession, key_id: UUID) -> bool:
    """Say whether a key was not revoked."""
    key = await queries.find_key(session, key_id)
    return key is not None and key.revoked_at is None


async def exchange(
    transactions: Transactions, text: str, *, vault: Vault, now: datetime
) -> ApiKeyTokenRead:
    """Return an access token with the rights of a key that its owner still has.

    Raises ApiKeyInvalid.
    """
    said = SecretText.read(PREFIX, text)
    if said is None:
        raise ApiKeyInvalid
    async with transactions.open(said.tenant_id) as session:
        key = await queries.find_key(session, said.row_id)
        tenant = await tenants.find_tenant(session, said.tenant_id)
        index = said.index(vault.api_key_pepper)
        if key is None or tenant is None or not hmac.compare_digest(key.secret_index, index):
            raise ApiKeyInvalid
        user = await users.find_user(session, key.user_id)
        is_over = key.revoked_at is not None or key.expires_at <= now
        if user is None or is_over or users.is_barred(user):
            raise ApiKeyInvalid
        key.last_used_at = now
        lifetime = min(timedelta(seconds=vault.settings.jwt_access_ttl), key.expires_at - now)
        issued_at = int(now.timestamp())
        claims = UserClaims(
            sub=user.id,
            tid=user.tenant_id,
            sid=key.id,
            ver=user.token_version,
            jti=new_id(),
            iat=issued_at,
            exp=issued_at + max(int(lifetime.total_seconds()), 1),
            auth_time=0,  # Nobody proved anything but that he has the key: never fresh.
            role=ROLE,
            scopes=frozenset(key.scopes) & grantable(users.scopes_in(user)),
            amr=(MACHINE,),
            lang=user.language or tenant.language,
            locations=users.locations_of(user),
        )
    return ApiKeyTokenRead(access_token=vault.keys.sign(claims), expires_in=claims.exp - claims.iat)
