"""Which sites' pages may call the API from a browser: those listed, exactly as listed."""

from collections.abc import Iterable
from typing import Final

from gateway.call import Answer
from gateway.errors import METHODS, OriginRefused
from gateway.headers import RequestHead
from gateway.wire import Headers

PREFLIGHT_MAX_AGE_S: Final = 600

_SENDABLE: Final = (
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-ID",
    "traceparent",
)
_READABLE: Final = (
    "Content-Disposition",
    "Content-Language",
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)
_VARY: Final = (b"vary", b"Origin")
_ALLOWED: Final[Headers] = [
    (b"access-control-allow-methods", ", ".join(sorted(METHODS)).encode()),
    (b"access-control-allow-headers", ", ".join(_SENDABLE).encode()),
    (b"access-control-max-age", str(PREFLIGHT_MAX_AGE_S).encode()),
]
_EXPOSED: Final = (
    b"access-control-expose-headers",
    ", ".join(_READABLE).encode(),
)


class Cors:
    """Answers browsers. Tokens travel in a header of their own: no credentials are allowed."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._headers: dict[bytes, Headers] = {
            origin.encode("ascii"): [
                (b"access-control-allow-origin", origin.encode()),
                _EXPOSED,
                _VARY,
            ]
            for origin in origins
        }
        self._others: Headers = [_VARY] if self._headers else []

    def headers(self, origin: bytes | None) -> Headers:
        """Return what every answer to a page of this origin carries."""
        return self._others if origin is None else self._headers.get(origin, self._others)

    def lets_connect(self, origin: bytes | None, host: bytes) -> bool:
        """Say whether a page of this origin may open a WebSocket: a listed one, or our own."""
        return origin is None or origin in self._headers or origin.split(b"://")[-1] == host

    def preflight(self, head: RequestHead) -> Answer:
        """Answer a browser that asks whether it may. Raises OriginRefused."""
        if head.read.get(b"origin") not in self._headers:
            raise OriginRefused
        return Answer(b"", status=204, headers=_ALLOWED)


def is_preflight(method: str, head: RequestHead) -> bool:
    """Say whether this is a browser's question (Fetch standard), not a request of its own."""
    return (
        method == "OPTIONS"
        and b"origin" in head.read
        and b"access-control-request-method" in head.read
    )
