"""ETag over HTTP: which answers carry one, and what a reader who has it already is told."""

from inspect import isclass
from typing import Annotated, Any

import orjson
from fastapi import Header, Request, Response
from pydantic import BaseModel

from shared.etag import entity_tag, is_known

IF_MATCH = "If-Match"
IfMatch = Annotated[
    str | None,
    Header(
        alias=IF_MATCH,
        max_length=200,
        description='The `ETag` of what you read, or its version as `"7"`: the change is refused '
        "with 412 if somebody changed it since. Without it, whatever is there is changed.",
    ),
]
_NOT_MODIFIED = 304


def is_versioned(response_model: Any) -> bool:  # noqa: ANN401 - whatever a route may answer.
    """Say whether answers of this model show a row with a version, so that they carry a tag."""
    if not (isclass(response_model) and issubclass(response_model, BaseModel)):
        return False
    field = response_model.model_fields.get("version")
    return field is not None and field.annotation is int


def tagged(request: Request, response: Response) -> Response:
    """Return the answer with its tag, or 304 to a reader who has it."""
    body = bytes(response.body)
    tag = entity_tag(orjson.loads(body)["version"], body)
    if request.method == "GET" and is_known(request.headers.get("if-none-match"), tag):
        return Response(status_code=_NOT_MODIFIED, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response
