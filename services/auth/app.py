from fastapi import FastAPI

from services.auth.accounts.routes import router as accounts
from services.auth.installation import Installer
from services.auth.keys.routes import router as keys
from services.auth.resources import AuthResources, open_service
from services.auth.revocations.routes import router as revocations
from services.auth.service_tokens.routes import router as service_tokens
from services.auth.sessions.routes import router as sessions
from services.auth.settings import Settings
from services.auth.tenants.routes import router as tenants
from services.auth.users.routes import router as users
from shared.settings import package_folder
from shared.web import build_app


def create_app(settings: Settings | None) -> FastAPI:
    """Return the web app; without settings it can only describe itself."""
    installer = Installer()
    return build_app(
        package=package_folder(__file__),
        title="Auth",
        description="Accounts, sign-in, sessions, roles and tenants.",
        settings=settings,
        open_service=open_service,
        routers=[accounts, sessions, users, tenants, keys, service_tokens, revocations],
        on_start=[installer.start],
        on_stop=[installer.stop, _close_vault],
    )


async def _close_vault(resources: AuthResources) -> None:
    resources.own.passwords.close()
