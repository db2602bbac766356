"""What a code, a barcode or a name is, and when two of them are the same.

One rule for all that people name things by: shown as typed, the same if their keys are the same.
A text in the form of a UUID is an id and never a name, so an address means one thing only.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.errors import NotFound
from shared.i18n import N_

CODE_LENGTH_MAX = 64
NAME_LENGTH_MAX = 100
KEY_LENGTH_MAX = 500  # One sign can stand for eighteen letters; PostgreSQL's keys have an end.


@dataclass(eq=False)
class IdNeeded(NotFound):
    """Where the address takes an id stands something else, as a code or a name."""

    slug: ClassVar[str] = "id-needed"
    title: ClassVar[str] = N_("An id is needed here")
    detail: ClassVar[str] = N_(
        "This address takes an id, a UUID, as {parameter}, and {given} is none. Find the id in a "
        "list first."
    )
    parameter: str
    given: str

    @classmethod
    def of(cls, parameter: str, given: str) -> Self:
        """Return the problem of a path that has this in the place of an id."""
        return cls(parameter=parameter, given=given)


def identifier_key(text: str) -> str:
    """Return what a code, barcode or name is looked up by: `Abc` and `ABC` are `abc`.

    NFKC and casefold (Unicode's compatibility caseless match: wide letters, ligatures), any run of
    spaces one space.
    Keys are stored: whoever changes this writes a migration that makes them anew.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFD", text).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def find_id(text: str) -> UUID | None:
    """Return the id that a text is, None if it is a code, barcode or name.

    An id has the form of a UUID, as in 0190b6f0-5a3c-7000-8000-2f1c4d5e6f70; case is no matter.
    """
    key = identifier_key(text)
    return UUID(key) if _ID.fullmatch(key) else None


def is_visible(character: str) -> bool:
    """Say whether a character can be seen, or is a plain space."""
    if character in LOOKS_EMPTY or _VARIATIONS.match(character):
        return False
    return character == " " or unicodedata.category(character) not in _HIDDEN


def one_spaced(value: object) -> object:
    """Return a text in NFC, trimmed, any run of spaces as one; anything else as it is."""
    if not isinstance(value, str):
        return value
    return _SPACES.sub(" ", unicodedata.normalize("NFC", value)).strip(" ")


def require_visible(value: str) -> str:
    """Return the text if all of it can be seen, as a validator does."""
    if not (value.isascii() and value.isprintable()):
        for character in value:
            if is_visible(character):
                continue
            if unicodedata.category(character) in {"Cc", "Cs"}:
                raise PydanticCustomError(
                    "control_characters", N_("Control characters are not allowed.")
                )
            raise PydanticCustomError(
                "invisible_characters", N_("Invisible characters are not allowed.")
            )
    if len(identifier_key(value)) > KEY_LENGTH_MAX:
        raise PydanticCustomError("identifier_too_long", N_("This is too long."))
    return value


def require_no_id(value: str) -> str:
    """Return the text if it has not the form of an id, as a validator does."""
    if find_id(value) is not None:
        raise PydanticCustomError(
            "looks_like_an_id", N_("This has the form of an id; choose another text.")
        )
    return value


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# All that Unicode calls a space, as str.split() does, but for what ends a line or is a control.
_SPACES = re.compile(r"[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and marks by their category, nothing to the eye.
LOOKS_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATIONS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")

# Bounds stand before the functions: there pydantic checks them itself, behind them in Python.
Code = Annotated[
    str,
    Field(min_length=1, max_length=CODE_LENGTH_MAX),
    BeforeValidator(one_spaced),
    AfterValidator(require_visible),
    AfterValidator(require_no_id),
]
UniqueName = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LENGTH_MAX),
    BeforeValidator(one_spaced),
    AfterValidator(require_visible),
    AfterValidator(require_no_id),
]
