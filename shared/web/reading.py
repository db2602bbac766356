"""Reading requests: exactly, strictly, and no further than their route allows."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import jiter
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect

from shared.errors import ContentTooLarge, UnsupportedMediaType
from shared.web.requests import LANGUAGE_PARAMETER, query_of
from shared.written import fault_in

_BYTES_PER_VALUE = 16  # So many values may a body hold, as if it were as large as allowed.
_VALUES_MAX = 400_000
_SMALL_BYTES = 16_384  # Bodies up to here are read at once, whatever is in them.
_MEMBERS_MAX = 100  # Of one object in a larger body.
_ERRORS_MAX = 20_000
_JSON = re.compile(r"application/(json|[\w.+-]+\+json)", re.ASCII | re.IGNORECASE)
_DUPLICATE = re.compile(r'Detected duplicate key "(.*)" at line \d+ column \d+', re.DOTALL)
_POSITION = re.compile(r" at line (\d+) column (\d+)$")
_KEY_SHOWN = 100


class StrictRequest(Request):
    """A request read by the rules of its route.

    JSON numbers with a point or an exponent are decimals, never binary floats; the body ends where
    the route's limit lies, also when nobody said how long it is; the parameter that chooses the
    language is not among those that the route sees.
    """

    def __init__(self, request: Request, limit_bytes: int) -> None:
        super().__init__(request.scope, request.receive)
        self._limit_bytes = limit_bytes

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_query_params"):
            query = query_of(self.scope)
            if LANGUAGE_PARAMETER in query:
                given = query.multi_items()
                given.remove(next(one for one in given if one[0] == LANGUAGE_PARAMETER))
                query = QueryParams(given)
            self._query_params = query
        return self._query_params

    async def body(self) -> bytes:
        """Return the body. Raises ContentTooLarge once more has come than the limit."""
        if not hasattr(self, "_body"):
            self._body = await self._read()
        return self._body

    async def _read(self) -> bytes:
        """Read without Starlette's stream, which costs as much as parsing a small body."""
        chunks, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._limit_bytes:
                raise ContentTooLarge(self._limit_bytes)
            more = message.get("more_body", False)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value.
        """Return what the body says.

        Raises ContentTooLarge, UnsupportedMediaType, and RequestValidationError for what is no
        JSON, says one thing twice, or holds more than a body of its size should.
        """
        if not hasattr(self, "_json"):
            body = await self.body()
            kind = self.headers.get("content-type", "").partition(";")[0].strip()
            if kind != "application/json" and not _JSON.fullmatch(kind):
                raise UnsupportedMediaType
            self._json = parse(body, self._limit_bytes)
        return self._json

    async def hold_body(self, validate: Callable[[Any], Any]) -> None:
        """Let FastAPI find the body as its model already, which it then has not to validate."""
        if await self.body():
            self._json = await validated_body(self, validate)


def faults_of_parameters(
    given: QueryParams, known: Mapping[str, type | None]
) -> list[dict[str, Any]]:
    """Return what a route does not take of its query, or not in this form, in pydantic's form.

    `known` says of which type with one form each parameter is, as `form_of` does.
    """
    errors = []
    names = set()
    for name, text in given.multi_items():
        if name == LANGUAGE_PARAMETER:  # Its first one is not among those given.
            errors.append(_fault("given_twice", "query", name, key=name))
        elif name not in known:
            errors.append(_fault("extra_forbidden", "query", name))
        elif name in names:
            errors.append(_fault("given_twice", "query", name, key=name))
        else:
            errors += fault_of_form(text, known[name], "query", name)
        names.add(name)
    return errors


def faults_of_path(
    path: str, given: Mapping[str, Any], known: Mapping[str, type | None]
) -> list[dict[str, Any]]:
    """Return which parts of the path are not in the form of their type, in pydantic's form.

    What the path's own form (`{item_id:uuid}`) has already read is no text any more; that reads
    ids without their dashes too.
    """
    errors = []
    for name, value in given.items():
        if isinstance(value, str):
            errors += fault_of_form(value, known.get(name), "path", name)
        elif isinstance(value, UUID) and str(value) not in path.lower():
            errors.append(_fault("uuid_parsing", "path", name))
    return errors


def fault_of_form(text: str, form: type | None, *place: str) -> list[dict[str, Any]]:
    """Return what is wrong with how a value is written, in pydantic's form."""
    code = fault_in(text, form) if form else None
    return [_fault(code, *place)] if code else []


async def read_body(request: StrictRequest, validate: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - the body's model.
    """Return the body as its model; an empty one is as good as none. Raises what `json` does."""
    if not await request.body():
        raise RequestValidationError([_fault("missing", "body")])
    return await validated_body(request, validate)


async def validated_body(request: StrictRequest, validate: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - same.
    """Return what `validate` makes of the body; of a large one, while others go on."""
    value = await request.json()
    if len(await request.body()) <= _SMALL_BYTES:
        return validated(validate, value, "body")
    return await asyncio.to_thread(validated, validate, value, "body")


def validated(validate: Callable[[Any], Any], value: Any, place: str) -> Any:  # noqa: ANN401 - same.
    """Return what `validate` makes of a value. Raises RequestValidationError."""
    try:
        return validate(value)
    except ValidationError as error:
        if error.error_count() > _ERRORS_MAX:  # Telling them all would take longer than all else.
            raise RequestValidationError([_fault("too_many_errors", place)]) from None
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**one, "loc": (place, *one["loc"])} for one in found]
        ) from None


def parse(body: bytes, limit_bytes: int) -> Any:  # noqa: ANN401 - any JSON value.
    """Return what a body of a route with this limit says. Raises RequestValidationError."""
    if len(body) > _SMALL_BYTES:
        _refuse_many_values(body, min(limit_bytes // _BYTES_PER_VALUE, _VALUES_MAX))
    try:
        value = jiter.from_json(
            body, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal"
        )
    except ValueError as error:
        raise RequestValidationError([_no_json(str(error))]) from error
    if len(body) > _SMALL_BYTES and isinstance(value, dict | list):
        _refuse_many_members(value, body.count(b"{") + body.count(b"["))
    return value


def _refuse_many_values(body: bytes, most: int) -> None:
    """Count before anything is made of them: each value costs more than its bytes."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > most:
        raise RequestValidationError([_fault("too_many_values", "body", max_values=most)])


def _refuse_many_members(value: Any, containers: int) -> None:  # noqa: ANN401 - any JSON value.
    """Each member that nobody knows costs more than all else that is done for it.

    `containers` says how many objects and lists there are at most: once as many were seen, nobody
    has to look into the last of them for more.
    """
    seen, level = 0, [value]
    while level:
        if max(len(one) if type(one) is dict else 0 for one in level) > _MEMBERS_MAX:
            raise RequestValidationError(
                [_fault("too_many_values", "body", max_values=_MEMBERS_MAX)]
            )
        seen += len(level)
        if seen >= containers:
            return
        level = [
            inner
            for one in level
            for inner in (one.values() if type(one) is dict else one)
            if type(inner) is dict or type(inner) is list
        ]


def _no_json(reason: str) -> dict[str, Any]:
    twice = _DUPLICATE.fullmatch(reason)
    if twice is None:
        place = _POSITION.search(reason)
        line, column = place.groups() if place else ("1", "1")
        return _fault("json_invalid", "body", line=int(line), column=int(column))
    return _fault("given_twice", "body", key=twice[1][:_KEY_SHOWN])


def _fault(kind: str, *place: str, **context: object) -> dict[str, Any]:
    """Return an error in pydantic's form; its text is found by its kind."""
    return {"type": kind, "loc": place, "msg": "", "input": None, "ctx": context}
