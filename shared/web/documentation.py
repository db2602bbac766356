"""Each service's OpenAPI document: scopes, problems and languages, said once for all routes."""

from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from shared.web.permissions import find_requirement
from shared.web.problems import PROBLEM_CONTENT

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457); `code` is stable, the texts are translated.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/insufficient-stock"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["insufficient_stock"]},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
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
    },
}
_GENERAL = {
    "400": "`bad_request`: the request cannot be read.",
    "413": "`content_too_large`: the body is too large.",
    "414": "`uri_too_long`: the address is too long.",
    "415": "`unsupported_media_type`: the body is not JSON.",
    "422": "`validation_failed`: some values are not valid.",
    "431": "`headers_too_large`: the headers are too large.",
    "429": "`too_many_requests`: wait as `Retry-After` says.",
    "500": "`internal_error`: a fault of ours, logged under the request id.",
    "503": "`unavailable`: a part of the system is away; nothing was changed.",
    "504": "`deadline_exceeded`: it did not finish in time.",
}
_SIGNED_IN = {
    "401": "`unauthorized`: no valid access token.",
    "403": "`forbidden`: the token lacks the scope.",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the app's OpenAPI document with everything that holds for each operation."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
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
                    _complete(operation, route.dependant)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], dependant: Dependant) -> None:
    needed = find_requirement(dependant)
    general = dict(_GENERAL)
    if needed is not None:
        general |= _SIGNED_IN
        scopes = [needed.scope] if needed.scope else []
        operation["security"] = [{"bearer": scopes}]
        if scopes:
            operation["description"] = (
                f"{operation.get('description', '')}\n\nNeeds the scope `{needed.scope}`."
            ).strip()
    else:
        operation["security"] = []
    responses = operation["responses"]
    if responses.get("422", {}).get("description") == "Validation Error":
        del responses["422"]
    for status, description in general.items():
        own = responses.get(status)
        if own is None:
            responses[status] = {"description": description, "content": PROBLEM_CONTENT}
        else:
            own["description"] = f"{own['description']}\n{description}"
    operation["responses"] = dict(sorted(responses.items()))
