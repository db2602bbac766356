"""What the documents say of answers: what they mean, and an example, made of their schemas.

A field's own example comes first, then the words below, then what fits its type. So the same item,
at the same place, goes through all documents, and a new field needs an example of its own only
where its name does not tell what it holds.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from shared.schemas import Page

Schema = Mapping[str, Any]

_WORDS: Final[Mapping[str, object]] = {
    "access_token": "eyJhbGciOiJSUzI1NiIs…",
    "actor": "user:01a21fcd-6950-746b-acc5-36ae34734381",
    "available": "144",
    "backdated": False,
    "balance_after": "144",
    "barcodes": ["8076800195057"],
    "behind": 0,
    "capacity": None,
    "category": "Pasta",
    "change": "144",
    "code": "SPAGHETTI-500",
    "country": "FR",
    "coverage_80": 0.83,
    "coverage_95": 0.95,
    "currency": "EUR",
    "differences": [],
    "email": "ada@example.com",
    "enrolment_token": "eyJhbGciOiJSUzI1NiIs…",
    "errors": [],
    "expired": 0,
    "expires_in": 900,
    "incomplete": False,
    "item": "SPAGHETTI-500",
    "item_code": "SPAGHETTI-500",
    "lag_s": 0,
    "lag_seconds": 0,
    "language": "fr",
    "last_used_at": None,
    "lead_time_days": 3,
    "line": 0,
    "location": "Main warehouse",
    "locations": None,
    "locked": False,
    "lot": None,
    "model_type": "theta",
    "name": "Spaghetti 500 g",
    "next_cursor": None,
    "on_hand": "144",
    "pack_unit": "case",
    "parent_id": None,
    "progress": 1,
    "quantity": "144",
    "reason": None,
    "recovery_codes_left": 10,
    "reference": "delivery-4711",
    "refresh_token": "rt1.AAAAAAAAcACAAA…",
    "refused": 0,
    "reorder_point": "60",
    "request_id": "6b45e30f0f6c4b7f9d1f9a3b7c2d1e00",
    "reserved": "0",
    "role": "clerk",
    "state": "succeeded",
    "status": "active",
    "serial": "SN-0001",
    "stock_out": False,
    "stock_out_days": 0,
    "time_zone": "Europe/Paris",
    "to_location": None,
    "unit": "each",
    "unit_cost": "0.62",
    "unreadable_items": 0,
    "unvalued_items": 0,
    "used": "144",
    "utilisation": None,
    "value": "89.28",
}
_FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-11-20",
    "date-time": "2026-11-20T09:30:00Z",
    "uuid": "01a21fcd-da8a-73fc-ba82-45d38a068b1a",
}
_KINDS: Final[Mapping[type, AbstractSet[str]]] = {
    bool: {"boolean"},
    float: {"number"},
    int: {"integer", "number"},
    list: {"array"},
    str: {"string"},
    type(None): {"null"},
}


def meaning_of(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """Return in words what an answer of this schema is. Raises LookupError where none says it."""
    if "anyOf" in schema:
        return " Or: ".join(meaning_of(choice, schemas) for choice in schema["anyOf"])
    found = _resolved(schema, schemas)
    if "description" not in found and "next_cursor" in found.get("properties", ()):
        return str(Page.__doc__)
    return str(found["description"])


def example_of(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:  # noqa: ANN401 - any JSON.
    """Return a value that fits the schema of the field `name`, without what may be left out.

    Raises LookupError for a text, or a free object, that has neither an example nor a word.
    """
    form: Any = schema if "examples" in schema else _resolved(schema, schemas)
    if "examples" in form:
        return form["examples"][0]
    parts: Mapping[str, Any]
    match form:
        case {"properties": fields}:
            parts = {field: fields[field] for field in form.get("required", ())}
        case {"propertyNames": {"enum": names}, "additionalProperties": part}:
            parts = dict.fromkeys(names, part)
        case _ if name in _WORDS and _takes(form, _WORDS[name]):
            return _WORDS[name]
        case {"anyOf": [first, *_]}:
            return example_of(first, schemas, name)
        case {"type": "array", "items": items}:
            return [example_of(items, schemas, name)]
        case _:
            return _plain_example(form, name)
    return {field: example_of(part, schemas, field) for field, part in parts.items()}


def _plain_example(form: Schema, name: str) -> object:
    """Return a value that fits a schema without parts. Raises LookupError where none is known."""
    match form:
        case {"enum": [first, *_]} | {"const": first}:
            return first
        case {"type": "boolean"}:
            return True
        case {"type": "integer" | "number"}:
            return form.get("minimum", 1)
        case {"type": "string", "pattern": _}:  # Of answers: exact decimals alone.
            return "12"
        case {"type": "string", "format": written}:
            return _FORMATS[written]
    raise LookupError(f"{name} has no example: {form}")


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else schemas[reference.rpartition("/")[2]]


def _takes(schema: Schema, value: object) -> bool:
    """Say whether a schema takes a value of the words, as one of its choices or by its type."""
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {choice.get("type") for choice in schema.get("anyOf", (schema,))}
    return bool(kinds & _KINDS[type(value)])
