"""Where a request goes: the one table of public paths, and what each asks of a caller.

The most specific path wins: an exact one before a prefix, a longer prefix before a shorter one, a
word before a `{parameter}`. Whatever is not in the table does not exist, `/internal/` above all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.limits import (
    BODY_LIMIT_BYTES,
    BULK_LIMIT_BYTES,
    SMALL_LIMIT_BYTES,
    UPLOAD_LIMIT_BYTES,
)

SERVICES: Final = ("auth", "inventory", "forecasting", "reporting")

# Who is let in: everybody; who has an access token or one for enrolment alone; who has the first.
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Access = Literal["public", "enrolment", "user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A public path with all below it, or, where `is_exact`, without. `{name}` is any segment.

    `timeout_s` runs from the request's arrival to the answer's first byte. `body_max` is in bytes,
    that of the service's routes; MAX_CONTENT_LENGTH may lower it, but for uploads. `scope`, where
    given, is needed in the token for anything below the path, whatever the service itself checks
    beyond it. `reads` and `writes` name the rates (`gateway/rates.py`) of GET and HEAD, and of all
    else. Answers are never kept by anybody unless `is_cacheable`, never compressed if `is_secret`:
    beside what a request put into it, a secret's length would tell of it (BREACH). A WebSocket may
    be opened where it `is_socket`.
    """

    path: str
    service: str
    timeout_s: float = 15
    body_max: int = BODY_LIMIT_BYTES
    access: Access = "user"
    scope: str | None = None
    reads: str = "read"
    writes: str = "default"
    is_exact: bool = False
    is_cacheable: bool = False
    is_secret: bool = False
    is_socket: bool = False


def rate_of(route: Route, method: str) -> str:
    """Return the name of the rate against which a request counts."""
    return route.reads if method in _READING else route.writes


def only_reads(route: Route, method: str) -> bool:
    """Say whether a request changes nothing and is no administration."""
    return route.scope is None and (method in _READING or route.writes == "read")


def _auth(path: str, access: Access, rate: str = "default") -> Route:
    """Return an exact path of auth's, where somebody proves who he is, with its rate."""
    return Route(
        path=path,
        service="auth",
        body_max=SMALL_LIMIT_BYTES,
        access=access,
        reads=rate,
        writes=rate,
        is_exact=True,
        is_secret=True,
    )


ROUTES: Final = (
    Route(
        path="/.well-known/jwks.json", service="auth", timeout_s=5, body_max=0, access="public",
        reads="page", writes="page", is_exact=True, is_cacheable=True,
    ),
    _auth("/api/auth/register", "public", "register"),
    _auth("/api/auth/verify-email", "public", "register"),
    _auth("/api/auth/resend-verification", "public", "register"),
    _auth("/api/auth/forgot-password", "public", "reset"),
    _auth("/api/auth/reset-password", "public", "register"),
    _auth("/api/auth/accept-invitation", "public", "register"),
    _auth("/api/auth/login", "public", "sign-in"),
    _auth("/api/auth/oidc/start", "public", "sign-in"),
    _auth("/api/auth/oidc/finish", "public", "sign-in"),
    _auth("/api/auth/refresh", "public", "refresh"),
    _auth("/api/auth/logout", "enrolment"),
    _auth("/api/auth/change-password", "enrolment", "proof"),
    _auth("/api/auth/2fa/setup", "enrolment", "proof"),
    _auth("/api/auth/2fa/verify", "enrolment", "proof"),
    _auth("/api/auth/passkeys/setup", "enrolment", "proof"),
    _auth("/api/auth/passkeys/verify", "enrolment", "proof"),
    _auth("/api/auth/step-up", "user", "proof"),
    _auth("/api/auth/change-email", "user", "mail"),
    _auth("/api/auth/confirm-email", "user", "proof"),
    Route(path="/api/auth", service="auth", body_max=SMALL_LIMIT_BYTES, is_secret=True),
    Route(path="/api/auth/2fa", service="auth", body_max=SMALL_LIMIT_BYTES, writes="proof",
          is_secret=True),
    Route(path="/api/users", service="auth", body_max=SMALL_LIMIT_BYTES, scope="user:manage",
          is_secret=True),
    Route(path="/api/users/{user_id}/factor-recovery", service="auth", writes="proof",
          body_max=SMALL_LIMIT_BYTES, scope="user:manage", is_secret=True),
    Route(path="/api/tenants/{tenant_id}/users", service="auth", writes="proof",
          body_max=SMALL_LIMIT_BYTES, scope="tenant:manage", is_secret=True),
    Route(path="/api/invitations", service="auth", body_max=SMALL_LIMIT_BYTES,
          scope="user:manage", is_secret=True),
    Route(path="/api/identity-provider", service="auth", body_max=SMALL_LIMIT_BYTES,
          scope="user:manage", is_secret=True),
    Route(path="/api/scim/v2", service="auth", scope="user:provision", reads="read",
          writes="write", is_secret=True),
    Route(path="/api/legal-holds", service="auth", body_max=SMALL_LIMIT_BYTES, is_secret=True),
    Route(path="/api/tenants", service="auth", body_max=SMALL_LIMIT_BYTES, is_secret=True),
    Route(path="/api/inventory", service="inventory", writes="write"),
    Route(path="/api/inventory/lookup", service="inventory", writes="read"),
    Route(path="/api/inventory/movements", service="inventory", writes="stock"),
    Route(path="/api/inventory/movements/bulk", service="inventory", timeout_s=60,
          body_max=BULK_LIMIT_BYTES, writes="stock"),
    Route(path="/api/inventory/reservations", service="inventory", writes="stock"),
    Route(path="/api/inventory/counts", service="inventory", timeout_s=60, writes="stock"),
    Route(path="/api/inventory/counts/{count_id}/lines", service="inventory", timeout_s=60,
          body_max=BULK_LIMIT_BYTES, writes="stock"),
    Route(path="/api/inventory/imports", service="inventory", timeout_s=60,
          body_max=UPLOAD_LIMIT_BYTES, writes="heavy"),
    Route(path="/api/inventory/export", service="inventory", timeout_s=60, reads="heavy"),
    Route(path="/api/inventory/verify", service="inventory", timeout_s=120, scope="audit:read",
          reads="heavy"),
    Route(path="/api/locations", service="inventory", writes="write"),
    Route(path="/api/categories", service="inventory", writes="write"),
    Route(path="/api/webhooks", service="inventory", body_max=SMALL_LIMIT_BYTES, writes="write",
          is_secret=True),
    Route(path="/api/suppliers", service="inventory", writes="write"),
    Route(path="/api/orders", service="inventory", writes="write"),
    Route(path="/api/ai", service="forecasting", timeout_s=30),
    Route(path="/api/ai/forecast/train", service="forecasting", timeout_s=30, writes="heavy"),
    Route(path="/api/ai/consumption/derive", service="forecasting", timeout_s=120, writes="heavy"),
    Route(path="/api/dashboard", service="reporting"),
    Route(path="/api/reports", service="reporting", timeout_s=60, reads="report"),
    Route(path="/api/audit", service="reporting", timeout_s=60, scope="audit:read",
          reads="report"),
    Route(path="/api/cache", service="reporting", scope="tenant:manage"),
)  # fmt: skip


@dataclass(slots=True)
class _Node:
    """What the paths with the same first segments have in common."""

    words: dict[bytes, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    exact: Route | None = None
    prefix: Route | None = None


class RouteTable:
    """Finds the route of a path, segment by segment: the cost is that of the path's length."""

    def __init__(self, routes: Iterable[Route] = ROUTES) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in route.path.encode().split(b"/")[1:]:
                if segment.startswith(b"{"):
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.words.setdefault(segment, _Node())
            if route.is_exact:
                node.exact = route
            else:
                node.prefix = route

    def find(self, path: bytes) -> Route | None:
        """Return the most specific route of a checked path; its last slash may be one too many."""
        node, found = self._root, None
        for segment in path.rstrip(b"/").split(b"/")[1:]:
            following = node.words.get(segment) or node.parameter
            if following is None:
                return found
            node = following
            found = node.prefix or found
        return node.exact or found
