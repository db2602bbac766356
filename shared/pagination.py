"""Keyset pagination: a cursor says after which row a page begins, so every page costs the same."""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, TypeVar, overload
from uuid import UUID

import orjson
from pydantic import Field

from shared.errors import BadRequest
from shared.i18n import N_
from shared.schemas import QueryModel

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
_CURSOR_LENGTH_MAX = 2000  # Two hundred characters of four bytes, also one cursor inside another.

RowT = TypeVar("RowT")
KeyT = TypeVar("KeyT", bound=tuple[Any, ...])
Sortable = str | int | UUID | datetime | Decimal
A = TypeVar("A", bound=Sortable)
B = TypeVar("B", bound=Sortable)
C = TypeVar("C", bound=Sortable)
D = TypeVar("D", bound=Sortable)

Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Field(max_length=_CURSOR_LENGTH_MAX, description="`next_cursor` of the page before."),
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


class Keyset(Generic[KeyT]):
    """One order of a list: the name of the sort, and the types of the values that make the order.

        BY_CODE = Keyset("code", str)
        NEWEST = Keyset("newest", datetime, int)

    The last value must be unique together with those before it. A list that can be sorted has one
    of these for each `sort=`; the cursor of one is refused by the others. Numbers are compared as
    64 bits and decimals as NUMERIC: a query casts a narrower column, not the value.
    """

    @overload
    def __init__(self: "Keyset[tuple[A]]", sort: str, a: type[A], /) -> None: ...
    @overload
    def __init__(self: "Keyset[tuple[A, B]]", sort: str, a: type[A], b: type[B], /) -> None: ...
    @overload
    def __init__(
        self: "Keyset[tuple[A, B, C]]", sort: str, a: type[A], b: type[B], c: type[C], /
    ) -> None: ...
    @overload
    def __init__(
        self: "Keyset[tuple[A, B, C, D]]",
        sort: str, a: type[A], b: type[B], c: type[C], d: type[D], /,
    ) -> None: ...  # fmt: skip
    def __init__(self, sort: str, *types: type[Any]) -> None:
        self.sort = sort
        self.types = types
        self._forms = [_FORMS[kind] for kind in types]

    def after(self, cursor: str | None) -> KeyT | None:
        """Return the values after which the page begins; None on the first. Raises InvalidCursor.

        Whoever made the cursor, the values are of their types and within what PostgreSQL compares.
        """
        if cursor is None:
            return None
        texts = _unpacked(cursor)
        if len(texts) != len(self._forms) + 1 or texts[0] != self.sort:
            raise InvalidCursor
        try:
            key = tuple(read(text) for (_, read), text in zip(self._forms, texts[1:], strict=True))
            is_ours = self.cursor(key) == cursor
        except (ValueError, ArithmeticError) as error:
            raise InvalidCursor from error
        if not is_ours:
            raise InvalidCursor
        return key  # type: ignore[return-value]  # as many, and of the types, as __init__ was given.

    def cursor(self, key: tuple[Sortable, ...]) -> str:
        """Return the opaque cursor after the row with these values."""
        texts = [write(value) for (write, _), value in zip(self._forms, key, strict=True)]
        return base64.urlsafe_b64encode(orjson.dumps([self.sort, *texts])).rstrip(b"=").decode()

    def page(
        self, rows: Sequence[RowT], limit: int, key: Callable[[RowT], KeyT]
    ) -> tuple[Sequence[RowT], str | None]:
        """Return the rows of the page and the cursor of the next, of rows read with limit + 1."""
        if len(rows) <= limit:
            return rows, None
        return rows[:limit], self.cursor(key(rows[limit - 1]))


def _unpacked(cursor: str) -> list[str]:
    """Return the texts in a cursor. Raises InvalidCursor."""
    try:
        texts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise InvalidCursor from error
    if not isinstance(texts, list):
        raise InvalidCursor
    if not all(isinstance(text, str) and "\x00" not in text for text in texts):
        raise InvalidCursor
    return texts


def _read_int(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _read_decimal(text: str) -> Decimal:
    if _PLAIN_DECIMAL.fullmatch(text) is None:  # An exponent could stand for a gigabyte of zeros.
        raise ValueError
    return Decimal(text)


def _in_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# How each type stands in a cursor, and how it is read. What is read must write itself the same:
# that refuses a second spelling, a time without its offset, and digits that are not ASCII.
_FORMS: dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    str: (str, str),
    int: (str, _read_int),
    UUID: (str, UUID),
    datetime: (_in_utc, datetime.fromisoformat),
    Decimal: (lambda value: format(value, "f"), _read_decimal),
}
