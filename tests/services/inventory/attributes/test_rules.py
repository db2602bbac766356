"""Schemas of attributes, without a database."""

import time

import pytest

from services.inventory.attributes.rules import fault_of_schema, faults_in, fits, merged

SCHEMA = {
    "properties": {
        "colour": {"enum": ["red", "blue"]},
        "weight_g": {"type": "number", "minimum": 0, "multipleOf": 0.01},
        "made_on": {"type": "string", "format": "date"},
        "size": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
    },
    "required": ["colour"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        (SCHEMA, None),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, None),
        ({"allOf": [{"not": {"required": ["a"]}}], "if": True, "then": False}, None),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema"),
        ({"$ref": "https://example.com/schema"}, "$ref"),
        ({"properties": {"a": {"$ref": "#"}}}, "properties.a.$ref"),
        ({"allOf": [{"$dynamicRef": "#a"}]}, "allOf.0.$dynamicRef"),
        ({"$defs": {}}, "$defs"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"requierd": []}, "requierd"),
        ({"properties": {"a": {"type": "strin"}}}, "properties.a.type"),
        ({"properties": {"a": 5}}, "properties.a"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "properties.a.pattern"),
        ({"properties": {"a": {"pattern": r"(a)\1"}}}, "properties.a.pattern"),
        ({"properties": {"a": {"pattern": "(x{1,1000}){1,1000}"}}}, "properties.a.pattern"),
        ({"properties": {"a": {"format": "colour"}}}, "properties.a.format"),
        ({"patternProperties": {"(": {}}}, "patternProperties.("),
    ],
)
def test_a_schema_is_held_to_the_rules(schema, part):
    assert fault_of_schema(schema) == part


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"colour": "red", "weight_g": 0.07, "made_on": "2026-11-28", "size": "xl"}, []),
        ({}, [("missing", "colour")]),
        ({"colour": "green"}, [("enum", "colour")]),
        ({"colour": "red", "weight_g": -1}, [("greater_than_equal", "weight_g")]),
        ({"colour": "red", "weight_g": "1"}, [("float_type", "weight_g")]),
        ({"colour": "red", "weight_g": 0.001}, [("multiple_of", "weight_g")]),
        ({"colour": "red", "made_on": "28/11/2026"}, [("date_parsing", "made_on")]),
        ({"colour": "red", "size": "X"}, [("string_too_short", "size"),
                                          ("string_pattern_mismatch", "size")]),
        ({"colour": "red", "shape": 1}, [("extra_forbidden", "shape")]),
    ],
)  # fmt: skip
def test_each_fault_names_its_place(attributes, told):
    faults = faults_in(SCHEMA, attributes)

    assert sorted((fault["type"], fault["loc"][-1]) for fault in faults) == sorted(told)
    assert fits(SCHEMA, attributes) == (not told)


def test_no_pattern_takes_long():
    schema = {"properties": {"a": {"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}}}
    assert fault_of_schema(schema) is None

    started = time.perf_counter()
    assert not fits(schema, {"a": "a" * 10_000})

    assert time.perf_counter() - started < 1


def test_null_takes_an_attribute_away():
    assert merged({"a": 1, "b": 2}, {"b": None, "c": 3, "d": None}) == {"a": 1, "c": 3}
