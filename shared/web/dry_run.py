"""`dry_run=true`: a change is made whole, answered as it would be, and rolled back.

A service that can take back all that its requests do offers this for each operation that changes
something: `build_app(dry_runs=True)`. No route knows of it that uses the request's session; one
with a transaction of its own asks `is_dry_run` and gives that to its stamp.
"""

from collections.abc import Collection
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant

from shared.web.permissions import find_requirement

DRY_RUN: Final = "dry_run"
DRY_RUN_HEADER: Final = "Dry-Run"
TRUE: Final = frozenset({"true", "1"})  # As a parameter that is true may be written.
DRY_RUN_PARAMETER: dict[str, Any] = {
    "name": DRY_RUN,
    "in": "query",
    "required": False,
    "description": "Try it: everything is checked and answered as it would be, refusals too, and "
    "nothing changes. No Idempotency-Key is kept; ids in the answer name nothing.",
    "schema": {"type": "boolean", "default": False},
}
DRY_RUN_ANSWER: dict[str, Any] = {
    DRY_RUN_HEADER: {
        "description": "`true` where it was tried alone: nothing changed.",
        "schema": {"type": "string"},
    }
}
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def may_be_tried(methods: Collection[str] | None, dependant: Dependant) -> bool:
    """Say whether a route changes something, by its methods and the scope that it needs."""
    needed = find_requirement(dependant)
    if needed is None or needed.scope is None or needed.scope.endswith(":read"):
        return False
    return not _CHANGING.isdisjoint(methods or ())


def mark_tried(response: Response) -> None:
    """Let the answer of a trial say so; what it would have made is read nowhere."""
    response.headers[DRY_RUN_HEADER] = "true"
    if "location" in response.headers:
        del response.headers["location"]


def is_dry_run(request: Request) -> bool:
    """Say whether what the request does is to be rolled back."""
    return bool(request.scope["state"].get(DRY_RUN))
