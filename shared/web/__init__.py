"""The web side that every service shares: one call builds an app that behaves like the others."""

from shared.web.app import build_app, feature_router
from shared.web.permissions import requires
from shared.web.problems import problems
from shared.web.requests import Language, Now
from shared.web.session import Session

__all__ = [
    "Language",
    "Now",
    "Session",
    "build_app",
    "feature_router",
    "problems",
    "requires",
]
