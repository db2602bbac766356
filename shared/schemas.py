"""What bodies and answers are made of: strict on the way in, complete on the way out."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from shared.i18n import N_

ItemT = TypeVar("ItemT")

_CONTROL_ALLOWED = frozenset("\n\t")


class Input(BaseModel):
    """A body. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class QueryModel(BaseModel):
    """Query parameters; unknown ones are passed over."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)


class Output(BaseModel):
    """An answer; reads attributes."""

    model_config = ConfigDict(from_attributes=True)


class Page(Output, Generic[ItemT]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[ItemT]
    next_cursor: str | None


def _normal(value: object) -> object:
    if not isinstance(value, str):
        return value
    return (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()


def _without_controls(value: str) -> str:
    if value.isprintable():  # As almost all are; what else is not printable may still be allowed.
        return value
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in _CONTROL_ALLOWED:
            raise PydanticCustomError(
                "control_characters", N_("Control characters are not allowed.")
            )
    return value


def _in_utc(value: datetime) -> datetime:
    """Return the moment in UTC, where the first and last years have hours that do not exist."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError(
            "datetime_out_of_range", N_("Give a time as in 2026-01-31T12:00:00Z.")
        ) from error


# Bounds stand before the functions: there pydantic checks them itself, behind them in Python.
Text = Annotated[str, BeforeValidator(_normal), AfterValidator(_without_controls)]
ShortText = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[^\n\t]*$"),
    BeforeValidator(_normal),
    AfterValidator(_without_controls),
]
Note = Annotated[
    str,
    Field(min_length=1, max_length=2000),
    BeforeValidator(_normal),
    AfterValidator(_without_controls),
]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
