"""Each service's OpenAPI document: scopes, problems and languages, said once for all routes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from shared.errors import (
    BadRequest,
    ContentTooLarge,
    DeadlineExceeded,
    IdempotencyAnswerLost,
    IdempotencyAnswerWithheld,
    IdempotencyInProgress,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    LocationNotAllowed,
    MissingScope,
    NotWithApiKey,
    PreconditionFailed,
    Problem,
    StepUpRequired,
    StillLocked,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from shared.web.dry_run import DRY_RUN_ANSWER, DRY_RUN_PARAMETER, may_be_tried
from shared.web.etag import IF_MATCH, is_versioned
from shared.web.examples import example_of, meaning_of
from shared.web.idempotency import KEY_HEADER
from shared.web.permissions import Requires, find_requirement
from shared.web.problems import PROBLEM_CONTENT, DatabaseFrozen, document_problem
from shared.web.requests import LANGUAGE_PARAMETER
from shared.web.route import ServiceRoute

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457); `code` is stable, the texts are translated.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "description": "The kind of problem; a page at this path explains it.",
            "examples": ["/problems/insufficient-stock"],
        },
        "title": {"type": "string", "description": "The kind of problem, in words."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "code": {
            "type": "string",
            "description": "The kind of problem, for programs to compare.",
            "examples": ["insufficient_stock"],
        },
        "detail": {"type": "string", "description": "What went wrong, and what to do next."},
        "request_id": {
            "type": "string",
            "description": "The `X-Request-ID` of the answer: give it to who helps you.",
        },
        "errors": {
            "type": "array",
            "description": "The places that are not valid.",
            "items": {
                "type": "object",
                "required": ["path", "code", "message"],
                "properties": {
                    "path": {"type": "string", "examples": ["body.quantity"]},
                    "code": {"type": "string", "examples": ["greater_than"]},
                    "message": {"type": "string"},
                },
            },
        },
        "errors_more": {
            "type": "integer",
            "description": "How many more places are not valid, where they are too many to name.",
        },
    },
}
_GENERAL = (
    BadRequest,
    ContentTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    TooManyRequests,
    Problem,
    Unavailable,
    StillLocked,
    DeadlineExceeded,
)
_FIRST_REFUSAL = 400
_BY_THE_GATEWAY = {
    "414": "`uri_too_long`: The address is too long. Ask for less at once.",
    "431": "`headers_too_large`: The headers are too large. Send fewer, or shorter ones.",
}
_SUCCESS = {
    "200": "",
    "201": "Created.",
    "202": "Accepted; it is done later.",
    "204": "Done; the answer is empty.",
}
_SIGNED_IN = (Unauthorized, MissingScope)
_LANGUAGE = {
    "name": LANGUAGE_PARAMETER,
    "in": "query",
    "required": False,
    "description": "Language of the texts, `en` or `fr`; goes before `Accept-Language`.",
    "schema": {"type": "string", "maxLength": 35},
}
_KEYED = (
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    IdempotencyInProgress,
    IdempotencyAnswerLost,
    IdempotencyAnswerWithheld,
)
_ETAG = {
    "ETag": {
        "description": "The version, and a digest of what the answer shows.",
        "schema": {"type": "string"},
    }
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an answer that you have: 304 while it would be the same.",
    "schema": {"type": "string"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the app's OpenAPI document with everything that holds for each operation."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = PROBLEM_SCHEMA
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        for route in iter_route_contexts(app.routes):
            if isinstance(route.original_route, APIRoute) and route.include_in_schema:
                for method in route.methods or ():
                    operation = document["paths"][route.path_format][method.lower()]
                    _summarise(operation, route.original_route)
                    _describe_answers(operation, schemas)
                    _describe_edits(operation, method)
                    _describe_reading(operation, route.original_route)
                    if is_versioned(route.response_model):
                        _describe_tags(operation, method)
                    if app.state.dry_runs and may_be_tried({method}, route.dependant):
                        _describe_trying(operation)
                    _complete(operation, route.dependant)
                    _describe_refusals(operation, route.original_route, schemas)
        app.openapi_schema = document
    return app.openapi_schema


def _summarise(operation: dict[str, Any], route: APIRoute) -> None:
    """Say what it does: the first paragraph of the docstring is the summary, unless it has one."""
    if route.summary is None:
        first, _, rest = operation.pop("description", "").partition("\n\n")
        operation["summary"] = first.replace("\n", " ").removesuffix(".")
        operation["description"] = rest
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"].endswith("_id"):
            noun = parameter["name"].removesuffix("_id").replace("_", " ")
            parameter.setdefault("description", f"Id of the {noun}.")


def _describe_answers(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say what each answer is, and show one; what another protocol defines has no schema here.

    An answer that no words are known for goes without them: a document is better than none.
    """
    for status in _SUCCESS.keys() & operation["responses"].keys():
        response = operation["responses"][status]
        forms = [form for form in response.get("content", {}).values() if form["schema"]]
        if response["description"] == "Successful Response":  # FastAPI's word for them all.
            response["description"] = _SUCCESS[status]
            with suppress(LookupError):
                meanings = [meaning_of(form["schema"], schemas) for form in forms]
                response["description"] = " ".join([_SUCCESS[status], *meanings]).strip()
        for form in forms:
            with suppress(LookupError):
                form["example"] = example_of(form["schema"], schemas)


def _describe_edits(operation: dict[str, Any], method: str) -> None:
    """Add the refusals of a change, and those that an Idempotency-Key or an If-Match can bring."""
    responses = operation["responses"]
    if responses.get("422", {}).get("description") == "Validation Error":
        del responses["422"]  # FastAPI's own; ours is a problem.
    parameters = operation.get("parameters", [])
    named = {parameter["name"] for parameter in parameters if parameter["in"] == "header"}
    if method != "GET":
        document_problem(responses, str(DatabaseFrozen.status), DatabaseFrozen)
    if KEY_HEADER in named and method == "POST":
        for kind in _KEYED:
            document_problem(responses, str(kind.status), kind)
    elif KEY_HEADER in named:  # It comes with the session, which heeds it on POST alone.
        parameters = [one for one in parameters if one["name"] != KEY_HEADER]
    if IF_MATCH in named:
        document_problem(responses, str(PreconditionFailed.status), PreconditionFailed)
    operation["parameters"] = parameters


def _describe_reading(operation: dict[str, Any], route: APIRoute) -> None:
    """Say of a request what the route itself does not, and take out what it cannot hold."""
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        parameter["schema"] = _without_null(parameter["schema"])
    operation["parameters"] = [*parameters, _LANGUAGE]
    if isinstance(route, ServiceRoute) and "requestBody" in operation:
        operation["requestBody"]["description"] = f"At most {route.body_limit_bytes} bytes."


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter without null, which is no text: it is sent or left out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**choices[0], **{name: value for name, value in schema.items() if name != "anyOf"}}


def _describe_tags(operation: dict[str, Any], method: str) -> None:
    """Add the ETag of the answers, and that a reader who has it is told so."""
    responses = operation["responses"]
    for status, response in responses.items():
        if status.startswith("2"):
            response["headers"] = _ETAG
    if method == "GET":
        operation["parameters"] = [*operation.get("parameters", []), _IF_NONE_MATCH]
        responses["304"] = {"description": "It is still what you have.", "headers": _ETAG}


def _describe_trying(operation: dict[str, Any]) -> None:
    """Say that it can be tried, and how the answer tells of it."""
    operation["parameters"] = [*operation.get("parameters", []), DRY_RUN_PARAMETER]
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response["headers"] = response.get("headers", {}) | DRY_RUN_ANSWER


def _describe_refusals(operation: dict[str, Any], route: APIRoute, schemas: dict[str, Any]) -> None:
    """Give the refusals of another protocol's route their form, beside that of problems."""
    form = route.refusal_form if isinstance(route, ServiceRoute) else None
    if form is None:
        return
    schemas[form.schema["title"]] = form.schema
    for status, response in operation["responses"].items():
        if int(status) >= _FIRST_REFUSAL:
            response["content"] = form.content | PROBLEM_CONTENT


def _complete(operation: dict[str, Any], dependant: Dependant) -> None:
    needed = find_requirement(dependant)
    general: tuple[type[Problem], ...] = _GENERAL
    if needed is not None:
        general += _SIGNED_IN
        operation["security"] = [{"bearer": [needed.scope] if needed.scope else []}]
        if needed.for_people:
            general += (NotWithApiKey,)
        if needed.for_all_locations:
            general += (LocationNotAllowed,)
        if needed.fresh:
            general += (StepUpRequired,)
        description = "\n\n".join([operation.get("description", ""), *_asked_of_caller(needed)])
        operation["description"] = description.strip()
    else:
        operation["security"] = []
    if not operation.get("description"):
        operation.pop("description", None)
    responses = operation["responses"]
    for kind in general:
        document_problem(responses, str(kind.status), kind)
    for status, description in _BY_THE_GATEWAY.items():
        responses[status] = {"description": description, "content": PROBLEM_CONTENT}
    operation["responses"] = dict(sorted(responses.items()))


def _asked_of_caller(needed: Requires) -> Iterator[str]:
    if needed.scope:
        yield f"Needs the scope `{needed.scope}`."
    if needed.fresh:
        yield "Needs a proof of identity from the last five minutes: `POST /api/auth/step-up`."
    if needed.enrolling:
        yield "An enrolment token will do."
