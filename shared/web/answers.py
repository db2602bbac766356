"""Answers made straight from rows, where lists are long and a model for each row costs too much."""

from typing import Any

import orjson
from fastapi import Response


def json_answer(body: dict[str, Any], *, status: int = 200) -> Response:
    """Return the body as JSON; its shape is what the route's `response_model` documents."""
    written = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return Response(written, status_code=status, media_type="application/json")
