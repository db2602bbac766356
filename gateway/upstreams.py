"""Where a request goes: the one table of public paths, and what each asks of a caller.

The longest prefix wins; prefixes end at a slash or at the end of the path. Whatever is not in the
table does not exist, `/internal/` above all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.limits import BODY_LIMIT_BYTES, BULK_LIMIT_BYTES, SMALL_LIMIT_BYTES

SERVICES: Final = ("auth", "inventory", "forecasting", "reporting")


@dataclass(frozen=True, slots=True)
class Route:
    """A public prefix. `timeout_s` runs from the request's arrival to the answer's first byte.

    `body_max` is in bytes, that of the service's routes; MAX_CONTENT_LENGTH may lower it. `scope`,
    where given, is needed in the token for anything below the prefix, whatever the service itself
    checks beyond it.
    """

    prefix: str
    service: str
    timeout_s: float = 15
    body_max: int = BODY_LIMIT_BYTES
    public: bool = False
    scope: str | None = None


ROUTES: Final = (
    Route("/.well-known/jwks.json", "auth", timeout_s=5, body_max=0, public=True),
    Route("/api/auth/register", "auth", body_max=SMALL_LIMIT_BYTES, public=True),
    Route("/api/auth/login", "auth", body_max=SMALL_LIMIT_BYTES, public=True),
    Route("/api/auth/refresh", "auth", body_max=SMALL_LIMIT_BYTES, public=True),
    Route("/api/auth", "auth", body_max=SMALL_LIMIT_BYTES),
    Route("/api/users", "auth", body_max=SMALL_LIMIT_BYTES, scope="user:manage"),
    Route("/api/tenants", "auth", body_max=SMALL_LIMIT_BYTES),
    Route("/api/inventory", "inventory"),
    Route("/api/inventory/movements/bulk", "inventory", timeout_s=60, body_max=BULK_LIMIT_BYTES),
    Route("/api/inventory/imports", "inventory", timeout_s=60, body_max=BULK_LIMIT_BYTES),
    Route("/api/inventory/export", "inventory", timeout_s=60),
    Route("/api/inventory/verify", "inventory", timeout_s=120, scope="audit:read"),
    Route("/api/locations", "inventory"),
    Route("/api/categories", "inventory"),
    Route("/api/suppliers", "inventory"),
    Route("/api/orders", "inventory"),
    Route("/api/ai", "forecasting", timeout_s=30),
    Route("/api/ai/consumption/derive", "forecasting", timeout_s=120),
    Route("/api/dashboard", "reporting"),
    Route("/api/reports", "reporting", timeout_s=60),
    Route("/api/audit", "reporting", timeout_s=60, scope="audit:read"),
    Route("/api/cache", "reporting", scope="ops:read"),
)


class RouteTable:
    """Finds the route of a path with one regular expression."""

    def __init__(self, routes: Iterable[Route] = ROUTES) -> None:
        self._routes = {route.prefix.encode(): route for route in routes}
        longest_first = sorted(self._routes, key=len, reverse=True)
        self._pattern = re.compile(
            rb"(" + rb"|".join(map(re.escape, longest_first)) + rb")(?=/|\Z)"
        )

    def find(self, path: bytes) -> Route | None:
        """Return the route with the longest prefix of a checked path."""
        match = self._pattern.match(path)
        return self._routes[match[1]] if match else None
