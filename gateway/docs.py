"""The documentation pages: our own, small, and complete without the internet.

One page (`static/docs.html` with its script and style) draws whichever OpenAPI document belongs to
its address; it loads nothing from elsewhere, and its policy lets it reach nothing else.
"""

from pathlib import Path
from typing import Final

from gateway.call import Answer
from gateway.headers import SECURITY
from gateway.wire import Headers

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY: Final[Headers] = [
    (name, _POLICY if name == b"content-security-policy" else value) for name, value in SECURITY
]
_CACHED: Final[Headers] = [(b"cache-control", b"public, max-age=300")]

PAGE: Final = "docs.html"


def load_assets() -> dict[str, Answer]:
    """Return the page and what it needs by file name, each as the answer that it is."""
    return {
        path.name: Answer(
            path.read_bytes(), _TYPES[path.suffix], headers=_CACHED, security=_SECURITY
        )
        for path in sorted(_STATIC.iterdir())
        if path.suffix in _TYPES
    }
