"""The tokens that a sign-in, a refresh or a fresh proof gives."""

from datetime import datetime

from services.auth.sessions.models import UserSession
from services.auth.sessions.rules import ENROLMENT_S, RefreshToken, Todo, expiry
from services.auth.sessions.schemas import AccessRead, EnrolmentRead, TokensRead
from services.auth.tenants.models import Tenant
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.ids import new_id
from shared.security.claims import EnrolmentClaims, UserClaims


def make_tokens(
    user: User, tenant: Tenant, session: UserSession, *, vault: Vault, now: datetime
) -> TokensRead:
    """Return an access token that says who the user is now, and the refresh token that is due."""
    access = make_access_token(user, tenant, session, vault=vault, now=now)
    due = RefreshToken(user.tenant_id, user.id, session.id, session.counter)
    return TokensRead(**access.model_dump(), refresh_token=due.sealed(vault.refresh_key))


def make_access_token(
    user: User, tenant: Tenant, session: UserSession, *, vault: Vault, now: datetime
) -> AccessRead:
    issued_at = int(now.timestamp())
    # No token outlasts its session.
    left_s = int(session.expires_at.timestamp()) - issued_at
    lifetime_s = min(vault.settings.jwt_access_ttl, max(left_s, 1))
    claims = UserClaims(
        sub=user.id,
        tid=user.tenant_id,
        sid=session.id,
        ver=user.token_version,
        jti=new_id(),
        iat=issued_at,
        exp=issued_at + lifetime_s,
        auth_time=int(session.proved_at.timestamp()),
        role=user.role,
        scopes=users.scopes_in(user),
        amr=tuple(session.methods),
        lang=user.language or tenant.language,
        locations=users.locations_of(user),
    )
    return AccessRead(
        access_token=vault.keys.sign(claims),
        token_type="Bearer",  # noqa: S106 - the kind of token, RFC 6750.
        expires_in=lifetime_s,
    )


def make_enrolment_token(
    user: User,
    tenant: Tenant,
    methods: tuple[str, ...],
    todo: tuple[Todo, ...],
    *,
    vault: Vault,
    now: datetime,
) -> EnrolmentRead:
    """Return a token that is good for what must be done first, and for nothing else."""
    issued_at = int(now.timestamp())
    claims = EnrolmentClaims(
        sub=user.id,
        tid=user.tenant_id,
        ver=user.token_version,
        jti=new_id(),
        iat=issued_at,
        exp=issued_at + ENROLMENT_S,
        amr=methods,
        todo=todo,
        lang=user.language or tenant.language,
    )
    return EnrolmentRead(
        enrolment_required="factor" in todo,
        password_change_required="password" in todo,
        enrolment_token=vault.keys.sign(claims),
        expires_in=ENROLMENT_S,
        user=users.to_read(user, vault=vault),
    )


def expiry_of(started_at: datetime, now: datetime, *, role: str, vault: Vault) -> datetime:
    """Return when a session that is used now ends, unless it is used again."""
    return expiry(
        started_at,
        now,
        role=role,
        idle_s=vault.settings.jwt_refresh_ttl,
        lifetime_max_s=vault.settings.session_lifetime_max,
    )
