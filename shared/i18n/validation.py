"""What is wrong with a value, in words: pydantic's error types, in our own translated texts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from shared.i18n.catalogue import N_, NP_, translate, translate_plural

FALLBACK = N_("This value is not valid.")
BODY_NEEDED = N_("Send a body, as JSON. The documentation at /docs shows an example.")

MESSAGES: Mapping[str, str] = {
    "missing": N_("This field is required."),
    "extra_forbidden": N_("This field is not known here. Check its spelling, or leave it out."),
    "invalid_key": N_("This field is not known here. Check its spelling, or leave it out."),
    "cannot_be_empty": N_("This cannot be left empty."),
    "given_twice": N_("The field {key} is given twice."),
    "too_many_errors": N_("Too many values are not valid."),
    "json_invalid": N_("The body is not valid JSON: see line {line}, column {column}."),
    "dict_type": N_("Give an object."),
    "mapping_type": N_("Give an object."),
    "model_type": N_("Give an object."),
    "model_attributes_type": N_("Give an object."),
    "dataclass_type": N_("Give an object."),
    "list_type": N_("Give a list."),
    "set_type": N_("Give a list."),
    "frozen_set_type": N_("Give a list."),
    "iterable_type": N_("Give a list."),
    "tuple_type": N_("Give a list."),
    "string_type": N_("Give a text."),
    "string_pattern_mismatch": N_("The text does not have the form expected."),
    "string_unicode": N_("The text is not valid Unicode."),
    "string_not_ascii": N_("The text does not have the form expected."),
    "bool_type": N_("Give true or false."),
    "bool_parsing": N_("Give true or false."),
    "int_type": N_("Give a whole number, such as 12."),
    "int_parsing": N_("Give a whole number, such as 12, without a leading zero."),
    "int_parsing_size": N_("The number is too large."),
    "int_from_float": N_("Give a whole number, such as 12."),
    "float_type": N_("Give a number."),
    "float_parsing": N_("Give a number."),
    "finite_number": N_("Give a finite number."),
    "decimal_type": N_("Give a decimal number, such as 12.5."),
    "decimal_parsing": N_("Give a decimal number, such as 12.5, without a leading zero."),
    "greater_than": N_("Give a value greater than {gt}."),
    "greater_than_equal": N_("Give a value of at least {ge}."),
    "less_than": N_("Give a value less than {lt}."),
    "less_than_equal": N_("Give a value of at most {le}."),
    "multiple_of": N_("Give a multiple of {multiple_of}."),
    "enum": N_("Choose one of: {expected}."),
    "literal_error": N_("Choose one of: {expected}."),
    "union_tag_invalid": N_("Choose one of: {expected_tags}."),
    "union_tag_not_found": N_("This field is required."),
    "uuid_type": N_("Give an id (UUID)."),
    "uuid_version": N_("Give an id (UUID)."),
    "uuid_parsing": N_("Give an id (UUID)."),
    "date_type": N_("Give a date as YYYY-MM-DD."),
    "date_parsing": N_("Give a date as YYYY-MM-DD."),
    "date_from_datetime_parsing": N_("Give a date as YYYY-MM-DD."),
    "date_from_datetime_inexact": N_("Give a date as YYYY-MM-DD."),
    "date_out_of_range": N_("Give a date in the years 1970 to 2099."),
    "datetime_out_of_range": N_("Give a time in the years 1970 to 2099."),
    "datetime_type": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "datetime_parsing": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "datetime_from_date_parsing": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "datetime_object_invalid": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "timezone_aware": N_("Give the time with its time zone, as in 2026-01-31T12:00:00Z."),
    "url_type": N_("Give a web address."),
    "url_parsing": N_("Give a web address."),
    "url_syntax_violation": N_("Give a web address."),
    "url_too_long": N_("Give a web address."),
    "url_scheme": N_("Give a web address."),
}

# What a text must look like, by the pattern that it does not match; any other is told in general.
FORMS: Mapping[str, str] = {
    r"^[^\n\t]*$": N_("Give a single line, without line breaks and tabs."),
    r"^[A-Z]{2}$": N_("Give two capital letters, such as GB."),
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$": N_(
        "Give lower-case letters, digits and hyphens, without a hyphen at either end."
    ),
}

# Errors whose message depends on a number: the name pydantic gives it, and both forms.
COUNTED: Mapping[str, tuple[str, tuple[str, str]]] = {
    "too_many_values": (
        "max_values",
        NP_("At most {count} value is allowed.", "At most {count} values are allowed."),
    ),
    "string_too_short": (
        "min_length",
        NP_("At least {count} character is needed.", "At least {count} characters are needed."),
    ),
    "string_too_long": (
        "max_length",
        NP_("At most {count} character is allowed.", "At most {count} characters are allowed."),
    ),
    "too_short": (
        "min_length",
        NP_("At least {count} entry is needed.", "At least {count} entries are needed."),
    ),
    "too_long": (
        "max_length",
        NP_("At most {count} entry is allowed.", "At most {count} entries are allowed."),
    ),
    "decimal_max_digits": (
        "max_digits",
        NP_("At most {count} digit is allowed.", "At most {count} digits are allowed."),
    ),
    "decimal_max_places": (
        "decimal_places",
        NP_(
            "At most {count} decimal place is allowed.",
            "At most {count} decimal places are allowed.",
        ),
    ),
    "decimal_whole_digits": (
        "whole_digits",
        NP_(
            "At most {count} digit before the point is allowed.",
            "At most {count} digits before the point are allowed.",
        ),
    ),
}


_PART_SHOWN, _PATH_SHOWN = 100, 500  # Of names that a client made up.
NAMED_MAX = 20  # Whoever got more wrong than that does not read on.
LOCATED = N_("{path}: {message}")
MORE = NP_("{count} more is not named here.", "{count} more are not named here.")


def validation_errors(
    errors: Sequence[Mapping[str, Any]], language: str
) -> tuple[list[dict[str, str]], int]:
    """Return the first of pydantic's errors as `{path, code, message}` and the number of others."""
    named = [_error(error, language) for error in errors[:NAMED_MAX]]
    return named, len(errors) - len(named)


def located(error: Mapping[str, str], language: str) -> str:
    """Return an error as a line by itself: its path, if it has one, before its message."""
    return translate(LOCATED, language, **error) if error["path"] else error["message"]


def more_in(count: int, language: str) -> str:
    """Say that so many places are not named."""
    return translate_plural(*MORE, count, language)


def _error(error: Mapping[str, Any], language: str) -> dict[str, str]:
    return {
        "path": ".".join(str(part)[:_PART_SHOWN] for part in error["loc"])[:_PATH_SHOWN],
        "code": _kind(error),
        "message": _message(error, language),
    }


def _kind(error: Mapping[str, Any]) -> str:
    """Return the error's type; a text after a validator of ours counts characters, not entries.

    Of such a text pydantic says only that it is a value; a list of ours is always called a list.
    """
    kind: str = error["type"]
    measured = (error.get("ctx") or {}).get("field_type")
    is_text = kind in {"too_short", "too_long"} and measured == "Value"
    return f"string_{kind}" if is_text else kind


def _message(error: Mapping[str, Any], language: str) -> str:
    kind, context = _kind(error), error.get("ctx") or {}
    if kind == "missing" and tuple(error["loc"]) == ("body",):
        return translate(BODY_NEEDED, language)
    if kind in COUNTED:
        name, forms = COUNTED[kind]
        return translate_plural(*forms, int(context[name]), language)
    if kind == "string_pattern_mismatch" and context["pattern"] in FORMS:
        return translate(FORMS[context["pattern"]], language)
    if kind in MESSAGES:
        shown = {name: _shown(value) for name, value in context.items()}
        return translate(MESSAGES[kind], language, **shown)
    # A validator of ours brings its own text; pydantic's are for developers, in English.
    return translate(FALLBACK if kind in _PYDANTIC_TYPES else error["msg"], language)


def _shown(value: object) -> object:
    """Return a number as it is; a list of choices without pydantic's English `or`."""
    is_number = isinstance(value, int | float | Decimal)
    return value if is_number else str(value).replace("' or '", "', '")


_PYDANTIC_TYPES = frozenset(get_args(ErrorType))
