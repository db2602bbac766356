"""What bodies and answers are made of: strict on the way in, complete on the way out."""

import operator
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from shared.i18n import N_
from shared.i18n.validation import MESSAGES
from shared.identifiers import LOOKS_EMPTY
from shared.strictness import strict, without_null
from shared.written import YEAR_MAX, YEAR_MIN, checked_moment

ItemT = TypeVar("ItemT")

_CONTROL_ALLOWED = frozenset("\n\t")
_HIDING = frozenset({"Cf", "Zl", "Zp"})  # Of no width, of the direction of others; ends of lines.


class Input(BaseModel):
    """A body. Unknown fields are refused, and values count as what they are written as.

    A whole number is a JSON number, true and false are theirs; dates and ids are texts in their one
    form (`shared.written`). Decimals and times come from `shared.money` and `Moment`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        return strict(handler(source))


class Update(Input):
    """A body that changes some fields of a row; a field left out stays as it is.

    Null empties the fields named in `clearable` and is refused for all others.
    """

    clearable: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        return without_null(strict(handler(source)), cls.clearable)


class QueryModel(BaseModel):
    """Query parameters. Unknown ones are refused, here as by every route."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Output(BaseModel):
    """An answer; reads attributes."""

    model_config = ConfigDict(from_attributes=True)


def unreadable_field() -> Any:  # noqa: ANN401 - as pydantic's own Field.
    """Return the field of an answer that names what is null because its seal is broken."""
    return Field(
        default=[],  # So that the document says that it may be left out.
        description="Fields that are null because what is stored of them cannot be opened: it was "
        "altered, or its key is gone. Left out where all can be read.",
        exclude_if=operator.not_,
    )


class Page(Output, Generic[ItemT]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[ItemT]
    next_cursor: str | None


def _normal(value: object) -> object:
    if not isinstance(value, str):
        return value
    return (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()


def _shown_as_it_is(value: str) -> str:
    """Return a line that looks like what it is: nothing in it is hidden, or turns the rest round.

    Spaces of any kind and the variants of signs may stand in it, as in French and with emoji.
    """
    if value.isascii() or (value.isprintable() and LOOKS_EMPTY.isdisjoint(value)):
        return value
    for character in value:
        if character in LOOKS_EMPTY or unicodedata.category(character) in _HIDING:
            raise PydanticCustomError(
                "invisible_characters", N_("Invisible characters are not allowed.")
            )
    return value


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
    """Return the moment in UTC, within the years that business happens in."""
    try:
        moment = value.astimezone(UTC)
    except OverflowError:  # In the first and last years there are hours that do not exist.
        moment = None
    if moment is None or not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise PydanticCustomError("datetime_out_of_range", MESSAGES["datetime_out_of_range"])
    return moment


# Bounds stand before the functions: there pydantic checks them itself, behind them in Python.
Text = Annotated[str, BeforeValidator(_normal), AfterValidator(_without_controls)]
# One line, as every name is.
ShortText = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[^\n\t]*$"),
    BeforeValidator(_normal),
    AfterValidator(_without_controls),
    AfterValidator(_shown_as_it_is),
]
Note = Annotated[
    str,
    Field(min_length=1, max_length=2000),
    BeforeValidator(_normal),
    AfterValidator(_without_controls),
]
# A time with its offset; a date alone is its midnight in UTC.
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc), BeforeValidator(checked_moment)]


def _only_true(value: object) -> object:
    if value is False:
        raise PydanticCustomError(
            "retire_by_delete",
            N_("Only true is possible: it brings back what was retired. Retire with DELETE."),
        )
    return value


# What `active` may be set to.
BroughtBack = Annotated[Literal[True], BeforeValidator(_only_true)]


class LocalisedName(Input):
    """A name in one or both languages; the one given stands for the other until that is given."""

    en: ShortText | None = None
    fr: ShortText | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.en is None and self.fr is None:
            raise PydanticCustomError("name_needed", N_("Give the name in English or French."))
        return self


def refusal_of(faults: Mapping[str, PydanticCustomError]) -> ValidationError:
    """Return what the validator of a whole model raises, so that each fault names its field."""
    details = [
        InitErrorDetails(type=fault, loc=(name,), input=None) for name, fault in faults.items()
    ]
    return ValidationError.from_exception_data("fields", details)


def keeps_languages(name: LocalisedName | None) -> LocalisedName | None:
    """Return the name that a change gives; it may leave a language out, not empty it."""
    given = name.model_fields_set if name is not None else ()
    empty = [language for language in sorted(given) if getattr(name, language) is None]
    if empty:
        fault = PydanticCustomError("cannot_be_empty", MESSAGES["cannot_be_empty"])
        raise refusal_of(dict.fromkeys(empty, fault))
    return name


def in_english(value: object) -> object:
    """Return what a body says in languages: a text alone is English."""
    return {"en": value} if isinstance(value, str) else value
