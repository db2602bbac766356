"""What services promise one another is written down, and changes only by adding."""

import json
from importlib import import_module
from typing import Any, Literal

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, create_model

from tests.contracts.registry import ANSWERS, breaks, entries, golden, lacks_default, schemas
from tests.support.tree import services

NO_CONTENT = 204


def test_what_is_written_down_is_what_the_code_says():
    assert golden() == json.loads(json.dumps(schemas())), "make contracts"


def test_an_entry_is_of_the_service_that_it_names():
    wrong = [
        name
        for name, entry in entries().items()
        if not entry.__module__.startswith(f"shared.contracts.{name.split('.')[0]}.")
    ]

    assert wrong == []


@pytest.mark.parametrize("service", [service.name for service in services()])
def test_every_internal_answer_is_promised(service):
    app = import_module(f"services.{service}.app").create_app(None)
    found = {
        f"{method} {context.path}"
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if context.path and context.path.startswith("/internal/")
        if getattr(context, "status_code", None) != NO_CONTENT
    }

    assert {"GET /internal/journal", "GET /internal/journal/verify"} <= found
    assert found - set(ANSWERS) == set()


class Choice(BaseModel):
    kind: Literal["a", "b"]


def schema_of(
    mode: Literal["validation", "serialization"] = "serialization", **fields: Any
) -> dict[str, Any]:
    return create_model("Promise", **fields).model_json_schema(mode=mode)


BEFORE = {
    "item": (str, ...),
    "size": (int | None, ...),
    "choice": (Choice, ...),
    "of": (list[Choice], ...),
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"more": (str, "")}, []),
        ({"more": (str, ...)}, []),
        ({"item": None}, ["item is gone"]),
        ({"item": (int, ...)}, ["item is {'type': 'integer'}, was {'type': 'string'}"]),
        ({"size": (int, ...)}, ["size is"]),
        ({"choice": (create_model("Choice", kind=(Literal["a", "b", "c"], ...)), ...)}, []),
        (
            {"choice": (create_model("Choice", kind=(Literal["a"], ...)), ...)},
            ["choice.kind may no"],
        ),
        ({"of": (list[create_model("Choice")], ...)}, ["of.[].kind is gone", "of.[].kind is no"]),
    ],
)
def test_only_what_breaks_others_is_refused(change, told):
    after = {name: kind for name, kind in (BEFORE | change).items() if kind is not None}

    found = list(breaks(schema_of(**BEFORE), schema_of(**after)))

    if told == ["item is gone"]:
        told = ["item is gone", "item is no longer promised"]
    assert [any(each.startswith(start) for each in found) for start in told] == [True] * len(told)
    assert len(found) == len(told)


def test_a_field_added_to_an_entry_needs_a_default():
    """Entries of before lack it, and are read at every rebuild."""
    before = schema_of(item=(str, ...))

    assert lacks_default(before, schema_of("validation", item=(str, ...), more=(str, ...))) == [
        "more"
    ]
    assert lacks_default(before, schema_of("validation", item=(str, ...), more=(str, ""))) == []
