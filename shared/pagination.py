"""Keyset pagination: a cursor says after which row a page begins, so every page costs the same."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import orjson
from fastapi import Query

from shared.errors import BadRequest
from shared.i18n import N_
from shared.schemas import QueryModel

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
_CURSOR_LENGTH_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[
    str | None,
    Query(max_length=_CURSOR_LENGTH_MAX, description="`next_cursor` of the page before."),
]


class PageQuery(QueryModel):
    """Which page of a list to give; a list with filters adds them."""

    cursor: Cursor = None
    limit: Limit = LIMIT_DEFAULT


@dataclass(eq=False)
class InvalidCursor(BadRequest):
    """The cursor is not one that this list gave."""

    slug: ClassVar[str] = "invalid-cursor"
    title: ClassVar[str] = N_("Invalid cursor")
    detail: ClassVar[str] = N_("Use the next_cursor of the page before, with the same sort.")


def encode_cursor(sort: str, values: Sequence[object]) -> str:
    """Return the opaque cursor after a row with these sort values."""
    packed = orjson.dumps([sort, *values], default=str)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, sort: str, size: int) -> list[Any] | None:
    """Return the sort values that a cursor carries. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = orjson.loads(packed)
    except ValueError as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or len(values) != size + 1 or values[0] != sort:
        raise InvalidCursor
    if not all(isinstance(value, str) and "\x00" not in value for value in values[1:]):
        raise InvalidCursor
    return values[1:]
