"""JSON whose fields are not known beforehand, held to what all other input is held to."""

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from pydantic_core import PydanticCustomError

from shared.i18n import N_

_DIGITS_MAX = 15  # So many a binary float gives back as they were written.
_CONTROL_ALLOWED = frozenset("\n\t")


def bounded(*, depth: int, size_bytes: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a validator of an object: not too deep, not too long, texts normal, numbers exact."""

    def checked(value: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = _checked(value, depth)
        if len(orjson.dumps(found)) > size_bytes:
            raise PydanticCustomError("object_too_large", N_("This object is too large."))
        return found

    return checked


def _checked(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON.
    match value:
        case str():
            return _text(value)
        case bool() | None:
            return value
        case int() | Decimal():
            return _number(Decimal(value))
        case _ if depth == 0:
            raise PydanticCustomError("object_too_deep", N_("This object is nested too deep."))
        case dict():
            return {_text(name): _checked(part, depth - 1) for name, part in value.items()}
        case list():
            return [_checked(part, depth - 1) for part in value]
    raise TypeError(type(value))


def _text(value: str) -> str:
    for character in value:
        if character not in _CONTROL_ALLOWED and unicodedata.category(character) in {"Cc", "Cs"}:
            raise PydanticCustomError(
                "control_characters", N_("Control characters are not allowed.")
            )
    return unicodedata.normalize("NFC", value).strip()


def _number(value: Decimal) -> int | float:
    _, digits, exponent = value.as_tuple()
    if (
        not isinstance(exponent, int)
        or len(digits) > _DIGITS_MAX
        or not -_DIGITS_MAX <= exponent <= _DIGITS_MAX - len(digits)
    ):
        raise PydanticCustomError(
            "number_too_long", N_("Give a number of at most 15 digits, or a text.")
        )
    return int(value) if exponent >= 0 else float(value)
