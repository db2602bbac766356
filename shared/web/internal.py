"""Who may call the internal API: services, by their own kind of token, each with its scopes."""

from fastapi import APIRouter

from shared.security.claims import ServiceClaims
from shared.web.permissions import RequiresService
from shared.web.route import ServiceRoute

ServiceCaller = ServiceClaims


def service_router(name: str) -> APIRouter:
    """Return a router below /internal: its routes read like all others, no document names them."""
    return APIRouter(
        prefix=f"/internal/{name}",
        tags=["internal"],
        include_in_schema=False,
        route_class=ServiceRoute,
    )


def service_scope(scope: str) -> RequiresService:
    """Return the dependency that lets in services with this scope."""
    return RequiresService(scope)
