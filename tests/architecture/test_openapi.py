"""The documents in docs/openapi are what the code says now, and complete."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema import FormatChecker, validate
from pydantic import AwareDatetime, BaseModel, BeforeValidator

from gateway.routes import RouteTable, rate_of
from shared.errors import Problem
from shared.schemas import Input, Update
from tests.support.tree import ROOT, parsed, services

METHODS = {"get", "post", "put", "patch", "delete"}
# Problems that every route may give, documented once for all by shared.web.documentation.
GENERAL = {400, 401, 403, 413, 415, 422, 429, 500, 503, 504}

TABLE = RouteTable()

each_service = pytest.mark.parametrize("name", [service.name for service in services()])


@cache
def app_of(name: str) -> FastAPI:
    app: FastAPI = import_module(f"services.{name}.app").create_app(None)
    return app


def document_of(name: str) -> dict[str, Any]:
    return app_of(name).openapi()


def operations(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document_of(name)["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation


@each_service
def test_the_golden_document_is_current(name):
    golden = ROOT / "docs" / "openapi" / f"{name}.json"

    assert golden.exists(), "make openapi"
    assert json.loads(golden.read_text()) == json.loads(json.dumps(document_of(name)))


@each_service
def test_every_operation_is_described(name):
    bare = [
        where
        for where, operation in operations(name)
        if not operation.get("summary") or not operation.get("description")
    ]

    assert bare == []


@each_service
def test_every_answer_says_what_it_is_and_has_a_valid_example(name):
    components = document_of(name)["components"]
    vague = {
        "",
        "Successful Response",
        "What was asked for.",
        "Created.",
        "Accepted; it is done later.",
    }
    bare = []
    for where, operation in operations(name):
        for status, response in operation["responses"].items():
            if status.startswith("2") and "content" in response:
                if response["description"] in vague:
                    bare.append(where)
                for form in response["content"].values():
                    if form["schema"]:
                        schema = form["schema"] | {"components": components}
                        validate(form["example"], schema, format_checker=FormatChecker())

    assert bare == []


@each_service
def test_operations_are_told_apart_by_their_names(name):
    names = [operation["operationId"] for _, operation in operations(name)]

    assert sorted(names) == sorted(set(names))


@each_service
def test_every_problem_is_the_one_problem_document(name):
    """On a route of another protocol, beside its own form."""
    for where, operation in operations(name):
        own = {"application/scim+json"} if "/api/scim/" in where else set()
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                expected = {"application/problem+json"} | own
                assert response["content"].keys() == expected, (where, status)
                assert response["description"], (where, status)


@each_service
def test_every_operation_says_which_scope_it_needs(name):
    """Only what a person does before signing in is open."""
    undecided = [where for where, operation in operations(name) if "security" not in operation]
    open_paths = {where for where, operation in operations(name) if operation["security"] == []}

    assert undecided == []
    assert {where for where in open_paths if "/auth/" not in where and "jwks" not in where} == set()


@each_service
def test_public_paths_start_where_the_gateway_looks(name):
    known = ("/api/", "/.well-known/")

    assert [w for w, _ in operations(name) if not w.split(" ")[1].startswith(known)] == []


@each_service
def test_text_and_lists_from_outside_are_bounded(name):
    """Every string and list that a client sends has a length that ends somewhere."""
    open_ended = [
        f"{where}: {parameter['name']}"
        for where, operation in operations(name)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and _is_open(parameter["schema"])
    ]

    assert open_ended == []


@each_service
def test_the_gateway_has_a_route_for_every_operation_and_asks_no_more_than_it_needs(name):
    """Whom the service lets in without a token, and no other, so does the gateway."""
    for where, operation in operations(name):
        route = TABLE.find(where.split()[1].encode())
        assert route is not None, where
        assert route.service == name, where
        assert (operation["security"] == []) == (route.access == "public"), where
        needed = {scope for one in operation["security"] for scope in one["bearer"]}
        assert route.scope is None or route.scope in needed, where


@each_service
def test_the_example_of_a_body_is_a_valid_body(name):
    """It is what the page of the documentation offers to send."""
    for route in iter_route_contexts(app_of(name).routes):
        if not isinstance(route.original_route, APIRoute) or route.body_field is None:
            continue
        if route.include_in_schema:
            annotation = route.body_field.field_info.annotation
            body = (get_args(annotation) or (annotation,))[0]  # Of an optional one, itself.
            schema = body.model_json_schema()
            for example in schema.get("examples") or [made_up(schema)]:
                assert body.model_validate(example), (body, example)


def made_up(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the first example of each field of a body: all must have one."""
    return {field: form["examples"][0] for field, form in schema["properties"].items()}


def test_whatever_a_secret_can_be_guessed_at_has_a_strict_rate():
    for where, operation in operations("auth"):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        named = json.dumps(_resolved(content.get("schema", {})))
        if re.search(r'"(current_)?(password|code)": \{', named) and not needs_scope(operation):
            method, path = where.split()
            route = TABLE.find(path.encode())
            assert rate_of(route, method) in {"sign-in", "register", "reset", "proof"}, where


def needs_scope(operation: dict[str, Any]) -> bool:
    return any(one["bearer"] for one in operation["security"])


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a body's own schema, wherever the document keeps it."""
    names = re.findall(r"#/components/schemas/(\w+)", json.dumps(schema))
    components = document_of("auth")["components"]["schemas"]
    return {"schemas": [components[name] for name in names], **schema}


@each_service
def test_gateway_and_service_allow_bodies_of_one_size(name):
    sizes = {
        where: (operation["requestBody"]["description"], TABLE.find(where.split()[1].encode()))
        for where, operation in operations(name)
        if "requestBody" in operation
    }

    assert sizes == sizes | {
        where: (f"At most {route.body_max} bytes.", route)
        for where, (_, route) in sizes.items()
        if route is not None
    }


@each_service
def test_what_comes_in_is_held_to_its_one_form(name):
    """Bodies derive from Input, however deep; times and decimals have the types of shared."""
    loose = sorted(
        {
            f"{model.__name__}.{field}"
            for route in iter_route_contexts(app_of(name).routes)
            if isinstance(route.original_route, APIRoute) and route.body_field is not None
            for model in _models_in(route.body_field.field_info.annotation)
            for field, info in model.model_fields.items()
            if not issubclass(model, Input) or _is_loose(info)
        }
    )
    asked = sorted(
        f"{route.path}: {parameter.name}"
        for route in iter_route_contexts(app_of(name).routes)
        if isinstance(route.original_route, APIRoute) and route.include_in_schema
        for parameter in (*route.dependant.query_params, *route.dependant.path_params)
        if _is_loose(parameter.field_info)
    )

    assert loose == []
    assert asked == []


@each_service
def test_a_change_says_which_fields_it_may_empty(name):
    """Null for any other is refused: no PATCH answers 200 and changes nothing."""
    changes = [
        (route.path, route.body_field.field_info.annotation)
        for route in iter_route_contexts(app_of(name).routes)
        if "PATCH" in (route.methods or ())
    ]

    assert [path for path, model in changes if not issubclass(model, Update)] == []
    assert [
        path for path, model in changes if not model.clearable <= model.model_fields.keys()
    ] == []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models_in(field.annotation)
    for part in get_args(annotation):
        yield from _models_in(part)


def _is_loose(field: Any) -> bool:
    """Say whether a time, decimal or float stands here without the check of its form."""
    checked = any(isinstance(one, BeforeValidator) for one in field.metadata)
    return _holds(field.annotation, {datetime, AwareDatetime, Decimal, float}, checked=checked)


def _holds(annotation: Any, kinds: set[type], *, checked: bool) -> bool:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return _holds(
            inner, kinds, checked=checked or any(isinstance(m, BeforeValidator) for m in metadata)
        )
    if annotation in kinds:
        return not checked
    if inspect.isclass(annotation):
        return False
    return any(_holds(part, kinds, checked=checked) for part in get_args(annotation))


def _is_open(schema: dict[str, Any]) -> bool:
    kinds = schema.get("anyOf", [schema])
    return any(
        kind.get("type") == "string"
        and not {"maxLength", "enum", "const", "format", "pattern"} & kind.keys()
        for kind in kinds
    )


@each_service
def test_every_post_that_takes_a_key_documents_its_refusals(name):
    refusals = {
        "idempotency_key_invalid",
        "idempotency_key_reused",
        "idempotency_in_progress",
        "idempotency_answer_withheld",
    }
    silent = [
        where
        for where, operation in operations(name)
        if _takes(operation, "Idempotency-Key") and not refusals <= _documented(operation)
    ]

    assert silent == []


@each_service
def test_a_key_is_offered_where_it_is_heeded(name):
    offered = [w for w, operation in operations(name) if _takes(operation, "Idempotency-Key")]

    assert [where for where in offered if not where.startswith("POST ")] == []


@each_service
def test_an_edit_of_a_version_documents_that_it_may_have_changed(name):
    edits = [operation for _, operation in operations(name) if _takes(operation, "If-Match")]

    assert [edit for edit in edits if "precondition_failed" not in _documented(edit)] == []


def _takes(operation: dict[str, Any], header: str) -> bool:
    return any(parameter["name"] == header for parameter in operation.get("parameters", ()))


@each_service
def test_every_route_documents_the_problems_its_services_raise(name):
    """By reading the code: what a route's functions raise, directly or through `service`."""
    routes = [
        route
        for route in iter_route_contexts(app_of(name).routes)
        if isinstance(route.original_route, APIRoute) and route.include_in_schema
    ]
    missing = [
        f"{route.path}: {kind.__name__}"
        for route in routes
        for kind in _raised(route.endpoint, set())
        if kind.status not in GENERAL
        and kind.slug.replace("-", "_") not in _documented(_operation_of(name, route))
    ]

    assert routes
    assert missing == []


def _operation_of(name: str, route: Any) -> dict[str, Any]:
    operation: dict[str, Any] = document_of(name)["paths"][route.path_format][
        min(route.methods).lower()
    ]
    return operation


def _documented(operation: dict[str, Any]) -> set[str]:
    return {
        word
        for response in operation["responses"].values()
        for word in str(response.get("description", "")).split("`")
    }


def _raised(function: Callable[..., Any], seen: set[Callable[..., Any]]) -> set[type[Problem]]:
    """The problems that a function of a service raises, or those that it calls."""
    function = inspect.unwrap(function)
    if function in seen or not getattr(function, "__module__", "").startswith("services."):
        return set()
    seen.add(function)
    module = inspect.getmodule(function)
    assert module is not None
    body = next(
        (
            node
            for node in ast.walk(parsed_module(module))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == function.__name__
        ),
        None,
    )
    found: set[type[Problem]] = set()
    for node in ast.walk(body) if body is not None else ():
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            kind = _value(raised, module)
            if isinstance(kind, type) and issubclass(kind, Problem):
                found.add(kind)
        elif isinstance(node, ast.Call):
            called = _value(node.func, module)
            if inspect.isfunction(called):
                found |= _raised(called, seen)
    return found


def parsed_module(module: Any) -> ast.Module:
    return parsed(ROOT / inspect.getfile(module))


def _value(expression: ast.expr, module: Any) -> object:
    """What a name, or an attribute of a module, stands for."""
    if isinstance(expression, ast.Name):
        return getattr(module, expression.id, None)
    if isinstance(expression, ast.Attribute):
        owner = _value(expression.value, module)
        return getattr(owner, expression.attr, None) if inspect.ismodule(owner) else None
    return None
