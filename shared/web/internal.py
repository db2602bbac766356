"""Who may call the internal API: services, by their own kind of token, each with its scopes."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request

from shared.errors import Forbidden, Unauthorized
from shared.security.claims import InvalidToken, ServiceClaims
from shared.web.permissions import bearer_token
from shared.web.requests import get_resources
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


def service_scope(scope: str) -> Callable[[Request], Awaitable[ServiceCaller]]:
    """Return the dependency that lets in services with this scope."""

    async def caller(request: Request) -> ServiceCaller:
        try:
            claims = await get_resources(request).services.verify(bearer_token(request))
        except InvalidToken as error:
            raise Unauthorized from error
        if scope not in claims.scopes:
            raise Forbidden
        return claims

    return caller
