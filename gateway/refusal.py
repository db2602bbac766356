"""What is answered where there is no request yet: it could not be read."""

from http import HTTPStatus
from uuid import uuid4

import orjson

from gateway.headers import NO_STORE, SECURITY
from gateway.wire import as_block
from shared.errors import PROBLEM_MEDIA_TYPE, Problem, problem_body


def answer_of(problem: Problem) -> bytes:
    """Return a problem as a whole HTTP answer, in English: no language has been asked for yet."""
    request_id = uuid4().hex
    body = orjson.dumps(problem_body(problem, "en", request_id))
    headers = [
        (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"content-language", b"en"),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
        NO_STORE,
        *SECURITY,
    ]
    status = HTTPStatus(problem.status)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (
        status,
        status.phrase.encode(),
        as_block(headers),
        body,
    )
