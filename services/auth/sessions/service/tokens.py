"""The pair of tokens that a sign-in or a refresh gives."""

from datetime import datetime

from services.auth.sessions.models import UserSession
from services.auth.sessions.rules import RefreshToken, expiry
from services.auth.sessions.schemas import TokensRead
from services.auth.tenants.models import Tenant
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.ids import new_id
from shared.security.claims import UserClaims


def make_tokens(
    user: User, tenant: Tenant, session: UserSession, *, vault: Vault, now: datetime
) -> TokensRead:
    """Return an access token that says who the user is now, and the refresh token that is due."""
    lifetime_s = vault.settings.jwt_access_ttl
    issued_at = int(now.timestamp())
    claims = UserClaims(
        sub=user.id,
        tid=user.tenant_id,
        sid=session.id,
        ver=user.token_version,
        jti=new_id(),
        iat=issued_at,
        exp=issued_at + lifetime_s,
        auth_time=int(session.started_at.timestamp()),
        role=user.role,
        scopes=users.scopes_in(user),
        amr=tuple(session.methods),
        lang=user.language or tenant.language,
    )
    due = RefreshToken(user.tenant_id, user.id, session.id, session.counter)
    return TokensRead(
        access_token=vault.signer.sign(claims),
        refresh_token=due.sealed(vault.refresh_key),
        token_type="Bearer",  # noqa: S106 - the kind of token, RFC 6750.
        expires_in=lifetime_s,
    )


def expiry_of(started_at: datetime, now: datetime, *, vault: Vault) -> datetime:
    """Return when a session that is used now ends, unless it is used again."""
    return expiry(
        started_at,
        now,
        idle_s=vault.settings.jwt_refresh_ttl,
        lifetime_max_s=vault.settings.session_lifetime_max,
    )
