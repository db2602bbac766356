"""What every body is held to, built into its pydantic schema, so that no field can forget it."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, cast

from pydantic_core import CoreSchema, core_schema

from shared.written import checked_day, checked_given, checked_id, checked_truth

Check = Callable[[object], object]


def strict(schema: CoreSchema) -> CoreSchema:
    """Return a model's schema in which each value is written in the one form of its type."""
    return cast("CoreSchema", _strict(schema))


def without_null(schema: CoreSchema, clearable: AbstractSet[str]) -> CoreSchema:
    """Return a model's schema in which only the `clearable` fields take null."""
    for name, field in _fields_of(schema).items():
        given = field["schema"]
        if name not in clearable and given["type"] == "default":
            never_null = core_schema.no_info_before_validator_function(
                checked_given, _without_nullable(given["schema"])
            )
            field["schema"] = core_schema.with_default_schema(never_null, default_factory=_left_out)
    return schema


def _strict(schema: Any) -> Any:  # noqa: ANN401 - a core schema, or any part of one.
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: part if name == "metadata" else _strict(part) for name, part in schema.items()}
    match parts.get("type"):
        case "int" | "bool":
            return parts | {"strict": True}
        case "date":
            check: Check = checked_day
        case "literal" if any(isinstance(value, bool) for value in parts["expected"]):
            check = checked_truth
        case "uuid":
            check = checked_id
        case _:
            return parts
    return core_schema.no_info_before_validator_function(check, cast("Any", parts))


def _fields_of(schema: Any) -> dict[str, Any]:  # noqa: ANN401 - same.
    """Return the fields of a model, which lie below its own validators."""
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    fields: dict[str, Any] = schema["fields"]
    return fields


def _left_out() -> None:
    """Stand for a field that was not given; documents show no default made by a function."""


def _without_nullable(schema: Any) -> Any:  # noqa: ANN401 - same.
    if schema["type"] == "nullable":
        return schema["schema"]
    if "schema" in schema:  # A validator of ours around it.
        return schema | {"schema": _without_nullable(schema["schema"])}
    return schema
