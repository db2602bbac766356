"""Problems over HTTP: from exception to application/problem+json, and into the documentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import asyncpg
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.errors import (
    PROBLEM_MEDIA_TYPE,
    BadRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
    ValueOutOfRange,
    problem_body,
)
from shared.i18n import N_
from shared.i18n.validation import more_in, validation_errors
from shared.log import log
from shared.security.jwks import KeysUnavailable
from shared.web.idempotency import Replay
from shared.web.requests import language_of, request_id_of

_BY_STATUS: dict[int, type[Problem]] = {
    400: BadRequest,
    404: NotFound,
    405: MethodNotAllowed,
    415: UnsupportedMediaType,
}
# What the database says of values that came from outside; a check of ours should have come first.
_INPUT = (
    asyncpg.NumericValueOutOfRangeError,
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.InvalidTextRepresentationError,
    asyncpg.InvalidDatetimeFormatError,
    asyncpg.DatetimeFieldOverflowError,
    asyncpg.StringDataRightTruncationError,
)
_NAMES = ("sqlstate", "constraint_name", "table_name", "column_name")
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # Used between its last words, that it is ended, and its end.
    asyncpg.OperatorInterventionError,  # Shut down, crashed, starting, or the query cancelled.
    asyncpg.TransactionRollbackError,  # Deadlocks, and what could not be serialised.
    asyncpg.TooManyConnectionsError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # While another server takes its place.
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    InterfaceError,
    PoolTimeoutError,
    KeysUnavailable,
    ConnectionError,
    OSError,
)


@dataclass(eq=False)
class DatabaseFrozen(Unavailable):
    """The database lets nobody write while another one takes its place (deploy/mirror)."""

    status: ClassVar[int] = 423
    slug: ClassVar[str] = "database-frozen"
    title: ClassVar[str] = N_("Read only for a moment")
    detail: ClassVar[str] = N_(
        "The database is being moved: it can be read, and nothing was changed. Wait a few "
        "seconds, then try again with the same Idempotency-Key."
    )
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class RefusalForm:
    """How the routes of another protocol say what went wrong, in place of problems.

    `schema` has a title, by which documents name it. `say` makes of a problem's document, with its
    status, the status and the body to send.
    """

    media_type: str
    schema: Mapping[str, Any]
    say: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]

    @property
    def content(self) -> dict[str, Any]:
        """Return what an OpenAPI document says of such an answer."""
        return {
            self.media_type: {"schema": {"$ref": f"#/components/schemas/{self.schema['title']}"}}
        }


def problem_response(request: Request, problem: Problem) -> Response:
    """Return the answer that tells a client about a problem, in his language."""
    body = problem_body(problem, language_of(request), request_id_of(request))
    return _written(request, body, problem.status, problem.header_fields())


def add_problem_handlers(app: FastAPI) -> None:
    """Let every exception that can leave a route end as a problem."""
    for kind in (Problem, RequestValidationError, Replay, HTTPException, *_AWAY, DBAPIError):
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    return answer_to(request, error)


def answer_to(request: Request, error: Exception) -> Response:
    """Return the answer of a request that ended in an exception, whichever it is."""
    match error:
        case Problem():
            return problem_response(request, error)
        case RequestValidationError():
            return _answer_to_invalid(request, error)
        case ClientDisconnect():  # In the middle of the body: nobody is left to read an answer.
            return problem_response(request, BadRequest())
        case Replay():
            return error.response()
        case HTTPException():
            return _answer_to_http(request, error)
        case _:
            return problem_response(request, problem_of(error))


def _answer_to_invalid(request: Request, error: RequestValidationError) -> Response:
    language = language_of(request)
    errors, more = validation_errors(error.errors(), language)
    body = problem_body(ValidationFailed(), language, request_id_of(request), errors)
    if more:
        body["errors_more"] = more
        body["detail"] += f" {more_in(more, language)}"
    return _written(request, body, ValidationFailed.status)


def _written(
    request: Request, body: dict[str, Any], status: int, headers: Mapping[str, str] | None = None
) -> Response:
    form: RefusalForm | None = getattr(request.scope.get("route"), "refusal_form", None)
    media_type = PROBLEM_MEDIA_TYPE
    if form is not None:
        media_type, (status, body) = form.media_type, form.say(body)
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type=media_type,
        headers=dict(headers or {}),
    )


def _answer_to_http(request: Request, error: HTTPException) -> Response:
    response = problem_response(request, _BY_STATUS.get(error.status_code, Problem)())
    response.headers.update(error.headers or {})
    return response


def problem_of(error: Exception) -> Problem:
    """Return what to tell a client about an unexpected exception, and log it."""
    cause = _driver_error(error)
    if _is_about_input(cause):
        # By names alone: the message of such an error tells the value.
        named = {name: getattr(cause, name, None) for name in _NAMES}
        log.warning("value refused by the database", kind=type(cause).__name__, **named)
        return ValueOutOfRange()
    if isinstance(cause, asyncpg.ReadOnlySQLTransactionError):
        log.warning("database frozen")
        return DatabaseFrozen()
    if isinstance(cause, _AWAY):
        log.warning("dependency away", reason=repr(cause))
        return Unavailable()
    log.error("request failed", exc_info=error)
    return Problem()


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route: every problem it can give beside the general ones."""
    documented: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        document_problem(documented, kind.status, kind)
    return documented


def document_problem(responses: dict[Any, Any], status: int | str, kind: type[Problem]) -> None:
    """Add a problem to an operation's `responses`, where its status may stand already.

    Its text is the one that clients read, with the members that fill it in by their names.
    """
    entry = responses.setdefault(status, {"description": ""})
    lines = [line for line in entry["description"].split("\n") if line]
    meaning = kind.detail if isinstance(kind.detail, str) else kind.detail[-1]
    entry["description"] = "\n".join([*lines, f"`{_code(kind)}`: {meaning}"])
    entry["content"] = PROBLEM_CONTENT


def _code(kind: type[Problem]) -> str:
    return kind.slug.replace("-", "_")


def _is_about_input(error: BaseException) -> bool:
    """Say whether the database, or already its driver, refused a value as such."""
    return isinstance(error, _INPUT) or type(error) is asyncpg.DataError


def _driver_error(error: BaseException) -> BaseException:
    """Return asyncpg's own exception from within SQLAlchemy's wrappers."""
    while True:
        inner = getattr(error, "orig", None) or error.__cause__
        if inner is None or _is_about_input(error) or isinstance(error, _AWAY):
            return error
        error = inner


PROBLEM_CONTENT = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
