"""Answers that no `response_model` makes: of long lists from rows, or of one model or another."""

from typing import Any

import orjson
from fastapi import Response

from shared.schemas import Output


def json_answer(body: dict[str, Any], *, status: int = 200) -> Response:
    """Return the body as JSON; its shape is what the route's `response_model` documents."""
    written = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return Response(written, status_code=status, media_type="application/json")


def model_answer(found: Output, *, status: int, location: str | None = None) -> Response:
    """Return the model as JSON; the route documents which there may be, and where it is read."""
    headers = None if location is None else {"Location": location}
    written = found.model_dump_json()
    return Response(written, status_code=status, media_type="application/json", headers=headers)
