"""The documentation page: Swagger UI from its package, in a page of ours, without the internet.

One page (`static/docs.html`) shows whichever OpenAPI document belongs to its address, and lets its
reader sign in; it loads nothing from elsewhere, and its policy lets it reach nothing else.
"""

from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from gateway.call import Answer
from gateway.headers import SECURITY
from gateway.wire import Headers

_STATIC: Final = Path(__file__).parent / "static"
_VIEWER: Final = ("swagger-ui-bundle.js", "swagger-ui.css")  # Of all that their package holds.
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The viewer's style sheet and the picture for an authenticator have images of their own in them.
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_OF_PAGES: Final[Headers] = [
    (name, _POLICY if name == b"content-security-policy" else value) for name, value in SECURITY
]
_CACHED: Final[Headers] = [(b"cache-control", b"public, max-age=300")]

PAGE: Final = "docs.html"


def load_assets() -> dict[str, Answer]:
    """Return the page and what it needs by file name, each as the answer that it is."""
    return {
        path.name: Answer(
            path.read_bytes(), _TYPES[path.suffix], headers=_CACHED, security=SECURITY_OF_PAGES
        )
        for path in [*sorted(_STATIC.iterdir()), *_viewer_files()]
        if path.suffix in _TYPES
    }


def _viewer_files() -> list[Path]:
    """Return where the viewer's files lie. Its package is not imported: that would load FastAPI."""
    package = distribution("fastapi-offline")
    return [Path(str(package.locate_file(f"fastapi_offline/static/{name}"))) for name in _VIEWER]
