"""Schemas of attributes, and what fits them: JSON Schema 2020-12, without what could run away.

The validator compiles patterns to automata that take linear time, and fetches nothing. References
are refused with all else that is not named here: they could go round in circles, and what a schema
can cost is then bounded by its own length.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from jsonschema_rs import (
    Draft202012Validator,
    RegexOptions,
    ValidationError,
    ValidationErrorKind,
)

from shared.i18n.validation import FALLBACK

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATTERNS = RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)
_OF_NAMES = frozenset({"properties", "patternProperties"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLE = frozenset(
    {"items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"}
)
_PLAIN = frozenset(
    {
        "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
        "exclusiveMinimum", "maxLength", "minLength", "pattern", "format", "maxItems", "minItems",
        "uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties", "required",
        "dependentRequired", "title", "description", "default", "examples", "deprecated",
        "readOnly", "writeOnly", "$schema", "$comment",
    }
)  # fmt: skip
Fault = dict[str, Any]  # As pydantic tells one: type, loc, ctx, msg.
_TYPES = {
    "string": "string_type", "integer": "int_type", "number": "float_type",
    "boolean": "bool_type", "array": "list_type", "object": "dict_type",
}  # fmt: skip
_FORMATS = {
    "date": "date_parsing", "date-time": "datetime_parsing", "uuid": "uuid_parsing",
    "uri": "url_parsing",
}  # fmt: skip


def fault_of_schema(schema: Mapping[str, Any]) -> str | None:
    """Return where an attribute schema breaks the rules, as `properties.size.type`, if it does."""
    unknown = next(_unknown(schema, ()), None)
    if unknown is not None:
        return ".".join(unknown)
    if schema.get("$schema", DIALECT) != DIALECT:
        return "$schema"
    try:
        _compiled(orjson.dumps(schema))
    except ValidationError as error:
        return ".".join(str(part) for part in error.instance_path) or "type"
    return None


def faults_in(schema: Mapping[str, Any], attributes: Mapping[str, Any]) -> list[Fault]:
    """Return in what attributes break a schema, each as pydantic tells the like of it."""
    validator = _compiled(orjson.dumps(schema))
    found = validator.iter_errors(dict(attributes))
    return [fault for error in found for fault in _faults(error)]


def fits(schema: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Say whether attributes keep to a schema."""
    return _compiled(orjson.dumps(schema)).is_valid(dict(attributes))


def merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes after a change: those given are set, null takes one away."""
    return {name: value for name, value in {**before, **given}.items() if value is not None}


@lru_cache(maxsize=512)
def _compiled(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(
        orjson.loads(schema),
        validate_formats=True,
        ignore_unknown_formats=False,
        offline=True,
        pattern_options=_PATTERNS,
    )


def _unknown(schema: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Give the paths of keywords that are not allowed; the validator tells all else."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        here = (*path, keyword)
        if keyword in _SINGLE:
            yield from _unknown(value, here)
        elif keyword in _OF_NAMES and isinstance(value, dict):
            for name, part in value.items():
                yield from _unknown(part, (*here, name))
        elif keyword in _LISTS and isinstance(value, list):
            for number, part in enumerate(value):
                yield from _unknown(part, (*here, str(number)))
        elif keyword not in _PLAIN | _OF_NAMES | _LISTS:
            yield here


def _faults(error: ValidationError) -> list[Fault]:
    kind, path = error.kind, ["attributes", *error.instance_path]
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        return [{"type": "extra_forbidden", "loc": [*path, name]} for name in kind.unexpected]
    if isinstance(kind, ValidationErrorKind.Required):
        return [{"type": "missing", "loc": [*path, kind.property]}]
    code, context = _told(kind.name, kind.value)
    return [{"type": code, "loc": path, "ctx": context, "msg": FALLBACK}]


def _told(keyword: str, value: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - any JSON.
    """Return the error of pydantic's that says the same, and what its text needs."""
    if keyword in _NUMBERS:
        code, name = _NUMBERS[keyword]
        return code, {name: value}
    match keyword:
        case "type":
            return (_TYPES.get(value[0], keyword) if len(value) == 1 else keyword), {}
        case "enum" | "const":
            choices: Sequence[Any] = value if keyword == "enum" else [value]
            return "enum", {"expected": ", ".join(str(choice) for choice in choices)}
        case "pattern":
            return "string_pattern_mismatch", {"pattern": ""}
        case "format":
            return _FORMATS.get(value, keyword), {}
    return keyword, {}


_NUMBERS = {
    "minimum": ("greater_than_equal", "ge"),
    "maximum": ("less_than_equal", "le"),
    "exclusiveMinimum": ("greater_than", "gt"),
    "exclusiveMaximum": ("less_than", "lt"),
    "multipleOf": ("multiple_of", "multiple_of"),
    "minLength": ("string_too_short", "min_length"),
    "maxLength": ("string_too_long", "max_length"),
    "minItems": ("too_short", "min_length"),
    "maxItems": ("too_long", "max_length"),
}
