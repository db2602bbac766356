"""How values may be written: one form each, so that nothing has to be guessed.

Python and pydantic read more than anybody means: "1_000" as a number, "20261120" as a day of 1970,
32 bare digits as a UUID. What comes from outside is held to these forms before they see it.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from pydantic_core import PydanticCustomError

from shared.i18n.validation import MESSAGES

YEAR_MIN, YEAR_MAX = 1970, 2099

# Without leading zeros, as in JSON: "010" might be meant as octal, or be a code that was mistyped.
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_TRUTH = re.compile(r"true|false|1|0")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"  # Without it, the next check asks for it.
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FORMS: Mapping[type, tuple[re.Pattern[str], str]] = {
    bool: (_TRUTH, "bool_parsing"),
    int: (_WHOLE, "int_parsing"),
    date: (_DAY, "date_parsing"),
    UUID: (_UUID, "uuid_parsing"),
}


def form_of(annotation: Any) -> type | None:  # noqa: ANN401 - any annotation of a parameter.
    """Return which of the types with one form a parameter is of, None for any other."""
    if isinstance(annotation, type):
        return annotation if annotation in _FORMS else None
    return next((found for part in get_args(annotation) if (found := form_of(part))), None)


def fault_in(text: str, kind: type) -> str | None:
    """Return the code of what is wrong with how a value of this type is written, if anything."""
    form, code = _FORMS[kind]
    if not form.fullmatch(text):
        return code
    if kind is date and not YEAR_MIN <= int(text[:4]) <= YEAR_MAX:
        return "date_out_of_range"
    return None


def checked_truth(value: object) -> object:
    """Return a value that is true or false, not the 1 that Python takes for it.

    Raises PydanticCustomError.
    """
    if not isinstance(value, bool):
        raise _error("bool_type")
    return value


def checked_given(value: object) -> object:
    """Return a value that is one. Raises PydanticCustomError for null."""
    if value is None:
        raise _error("cannot_be_empty")
    return value


def checked_day(value: object) -> object:
    """Return a date, or a text that is written as one. Raises PydanticCustomError."""
    return _checked(value, date)


def checked_id(value: object) -> object:
    """Return a UUID, or a text that is written as one. Raises PydanticCustomError."""
    return _checked(value, UUID)


def checked_moment(value: object) -> object:
    """Return a time, or a text that is written as one; a day alone is its midnight in UTC.

    Raises PydanticCustomError.
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        if _DAY.fullmatch(value):
            return f"{value}T00:00:00Z"
        if _TIME.fullmatch(value):
            return value
    raise _error("datetime_parsing")


def checked_decimal(value: object) -> object:
    """Return an exact number, or a text of digits with at most one point.

    A number in JSON is exact whichever way JSON writes it (`1e3` is 1000); a text holds no
    exponent, plus sign, blank, leading zero, or digits of other scripts.

    Raises PydanticCustomError.
    """
    if isinstance(value, str):
        if _DECIMAL.fullmatch(value):
            return value
        raise _error("decimal_parsing")
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return value
    raise _error("decimal_type")


def _checked(value: object, kind: type) -> object:
    if type(value) is kind:
        return value
    code = fault_in(value, kind) if isinstance(value, str) else _FORMS[kind][1]
    if code is not None:
        raise _error(code)
    return value


def _error(code: str) -> PydanticCustomError:
    return PydanticCustomError(code, MESSAGES[code])
