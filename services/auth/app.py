from fastapi import FastAPI

from services.auth.accounts.routes import router as accounts
from services.auth.installation import Installer
from services.auth.keys.routes import router as keys
from services.auth.revocations.routes import router as revocations
from services.auth.service_tokens.routes import router as service_tokens
from services.auth.sessions.routes import router as sessions
from services.auth.settings import Settings
from services.auth.tenants.routes import router as tenants
from services.auth.users.routes import router as users
from services.auth.vault import Vault, vault_of
from shared.security.tokens import FixedKeys, load_jwks
from shared.settings import package_folder
from shared.web import build_app
from shared.web.resources import Resources, open_resources


def open_service(settings: Settings) -> Resources:
    """Return what a process of auth holds open; it verifies tokens with its own keys."""
    vault = Vault.from_settings(settings)
    resources = open_resources("auth", settings, own_keys=FixedKeys(load_jwks(vault.jwks)))
    resources.own = vault
    return resources


def create_app(settings: Settings | None) -> FastAPI:
    """Return the web app; without settings it can only describe itself."""

    def resources() -> Resources:
        if settings is None:
            raise RuntimeError("an app without settings cannot run")
        return open_service(settings)

    installer = Installer()
    return build_app(
        package=package_folder(__file__),
        title="Auth",
        description="Accounts, sign-in, sessions, roles and tenants.",
        resources=resources,
        routers=[accounts, sessions, users, tenants, keys, service_tokens, revocations],
        on_start=[installer.start],
        on_stop=[installer.stop, _close_vault],
    )


async def _close_vault(resources: Resources) -> None:
    vault_of(resources).passwords.close()
