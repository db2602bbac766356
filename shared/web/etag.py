"""ETag and If-Match: an edit says which version it changes, a reader which one he has."""

from typing import Annotated

from fastapi import Header, Request, Response
from starlette.exceptions import HTTPException

from shared.errors import PreconditionFailed

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=200)]
_NOT_MODIFIED = 304


def etag_of(version: int) -> str:
    """Return the entity tag of a version number."""
    return f'"{version}"'


def require_match(if_match: str | None, version: int) -> None:
    """Raise PreconditionFailed when the client edits another version than the present one."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag_of(version) not in _tags(if_match):
        raise PreconditionFailed


def tag(request: Request, response: Response, version: int) -> None:
    """Set the ETag of an answer; end the request with 304 when the reader has this version."""
    response.headers["ETag"] = etag_of(version)
    known = request.headers.get("if-none-match")
    if known is not None and request.method == "GET" and etag_of(version) in _tags(known):
        raise HTTPException(_NOT_MODIFIED, headers={"ETag": etag_of(version)})


def _tags(header: str) -> set[str]:
    return {part.strip().removeprefix("W/") for part in header.split(",")}
