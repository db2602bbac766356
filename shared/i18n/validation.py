"""What is wrong with a value, in words: pydantic's error types, in our own translated texts."""

from collections.abc import Mapping
from typing import Any

from shared.i18n.catalogue import N_, translate

FALLBACK = N_("This value is not valid.")

MESSAGES: Mapping[str, str] = {
    "missing": N_("This field is required."),
    "extra_forbidden": N_("This field is not known here."),
    "json_invalid": N_("The body is not valid JSON."),
    "dict_type": N_("Give an object."),
    "model_type": N_("Give an object."),
    "model_attributes_type": N_("Give an object."),
    "dataclass_type": N_("Give an object."),
    "list_type": N_("Give a list."),
    "set_type": N_("Give a list."),
    "tuple_type": N_("Give a list."),
    "string_type": N_("Give a text."),
    "string_too_short": N_("At least {min_length} characters are needed."),
    "string_too_long": N_("At most {max_length} characters are allowed."),
    "string_pattern_mismatch": N_("The text does not have the form expected."),
    "string_unicode": N_("The text is not valid Unicode."),
    "too_short": N_("At least {min_length} entries are needed."),
    "too_long": N_("At most {max_length} entries are allowed."),
    "bool_type": N_("Give true or false."),
    "bool_parsing": N_("Give true or false."),
    "int_type": N_("Give a whole number."),
    "int_parsing": N_("Give a whole number."),
    "int_parsing_size": N_("The number is too large."),
    "int_from_float": N_("Give a whole number."),
    "float_type": N_("Give a number."),
    "float_parsing": N_("Give a number."),
    "finite_number": N_("Give a finite number."),
    "decimal_type": N_("Give a decimal number."),
    "decimal_parsing": N_("Give a decimal number."),
    "decimal_max_digits": N_("At most {max_digits} digits are allowed."),
    "decimal_max_places": N_("At most {decimal_places} decimal places are allowed."),
    "decimal_whole_digits": N_("At most {whole_digits} digits before the point are allowed."),
    "greater_than": N_("Give a value greater than {gt}."),
    "greater_than_equal": N_("Give a value of at least {ge}."),
    "less_than": N_("Give a value less than {lt}."),
    "less_than_equal": N_("Give a value of at most {le}."),
    "enum": N_("Choose one of: {expected}."),
    "literal_error": N_("Choose one of: {expected}."),
    "union_tag_invalid": N_("Choose one of: {expected_tags}."),
    "uuid_type": N_("Give an id (UUID)."),
    "uuid_parsing": N_("Give an id (UUID)."),
    "date_type": N_("Give a date as YYYY-MM-DD."),
    "date_parsing": N_("Give a date as YYYY-MM-DD."),
    "date_from_datetime_parsing": N_("Give a date as YYYY-MM-DD."),
    "date_from_datetime_inexact": N_("Give a date as YYYY-MM-DD."),
    "datetime_type": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "datetime_parsing": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "datetime_from_date_parsing": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "datetime_object_invalid": N_("Give a time as in 2026-01-31T12:00:00Z."),
    "timezone_aware": N_("Give the time with its time zone, as in 2026-01-31T12:00:00Z."),
    "control_characters": N_("Control characters are not allowed."),
    "email": N_("Give an e-mail address."),
    "number_too_precise": N_("Give the number as text, so that no digit is lost."),
}


def validation_errors(errors: list[dict[str, Any]], language: str) -> list[dict[str, str]]:
    """Return pydantic's errors as `{path, code, message}`, the messages translated."""
    return [
        {
            "path": ".".join(str(part) for part in error["loc"]),
            "code": error["type"],
            "message": _message(error, language),
        }
        for error in errors
    ]


def _message(error: Mapping[str, Any], language: str) -> str:
    template = MESSAGES.get(error["type"], FALLBACK)
    context = {name: str(value) for name, value in (error.get("ctx") or {}).items()}
    return translate(template, language, **context)
