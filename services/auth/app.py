"""Where auth is put together."""

from pathlib import Path

from fastapi import FastAPI

from services.auth.accounts import routes as accounts
from services.auth.api_keys import routes as api_keys
from services.auth.denials import routes as denials
from services.auth.device_recovery import routes as device_recovery
from services.auth.first_start import FirstStart
from services.auth.identity_providers import routes as identity_providers
from services.auth.key_keeper import KeyKeeper
from services.auth.keys import routes as keys
from services.auth.legal_holds import routes as legal_holds
from services.auth.limits import routes as limits
from services.auth.own_password import routes as own_password
from services.auth.passkeys import routes as passkeys
from services.auth.personal_data import routes as personal_data
from services.auth.resources import AuthResources, open_service
from services.auth.revocations import routes as revocations
from services.auth.scim import routes as scim
from services.auth.service_tokens import routes as service_tokens
from services.auth.sessions import routes as sessions
from services.auth.sessions.service import require_standing
from services.auth.settings import Settings
from services.auth.tenants import routes as tenants
from services.auth.two_factor import routes as two_factor
from services.auth.users import routes as users
from shared.contracts.auth.access import AuthDenied
from shared.web import build_app


def create_app(settings: Settings | None) -> FastAPI:
    """Return auth's web app; without settings it can only describe itself."""
    first_start, key_keeper = FirstStart(), KeyKeeper()
    return build_app(
        package=Path(__file__).parent,
        title="Auth",
        description="Accounts, sign-in, sessions, roles and tenants.",
        tags={
            "sessions": "Sign in, stay signed in, sign out; where you are signed in.",
            "account": "Your own account, its password and address; registration and invitations.",
            "two-factor": "Your authenticator and recovery codes.",
            "api-keys": "Keys with which machines act for you.",
            "users": "The users of your tenant: invite, approve, change and lock them.",
            "scim": "Accounts and roles as a directory keeps them (SCIM 2.0).",
            "tenants": "Companies that use this installation, and what they may ask of it.",
            "legal-holds": "What retention must not remove, whatever its age.",
            "keys": "The public keys with which access tokens are verified.",
        },
        settings=settings,
        open_service=_open_for_callers,
        denied=AuthDenied,
        routers=(
            accounts.router,
            accounts.invitations,
            accounts.approvals,
            device_recovery.router,
            device_recovery.platform,
            api_keys.router,
            api_keys.of_users,
            api_keys.internal_router,
            denials.internal_router,
            own_password.router,
            sessions.router,
            two_factor.router,
            passkeys.router,
            users.router,
            personal_data.router,
            personal_data.own,
            tenants.router,
            legal_holds.router,
            legal_holds.internal_router,
            limits.router,
            keys.router,
            service_tokens.router,
            revocations.router,
            *scim.routers,
            identity_providers.router,
            identity_providers.sign_ins,
        ),
        on_start=(first_start.start, key_keeper.start),
        on_stop=(first_start.stop, key_keeper.stop, _stop_hashing, _leave_providers),
    )


def _open_for_callers(settings: Settings) -> AuthResources:
    resources = open_service(settings)
    resources.require_standing = require_standing
    return resources


async def _stop_hashing(resources: AuthResources) -> None:
    resources.own.passwords.close()


async def _leave_providers(resources: AuthResources) -> None:
    await resources.own.providers.close()
