"""The route class of every service: what holds for each route is done here, and by no route."""

from collections.abc import Callable, Coroutine
from decimal import Decimal
from functools import cached_property
from json import JSONDecodeError, JSONDecoder
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.types import Receive, Scope, Send

from shared.errors import UnsupportedMediaType
from shared.web.etag import is_versioned, tagged
from shared.web.idempotency import Claim
from shared.web.permissions import find_requirement

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_SUCCESS = range(200, 300)


class ExactRequest(Request):
    """A request whose JSON numbers with a point are decimals, never binary floats."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value.
        if not hasattr(self, "_json"):
            self._json = _parsed(await self.body())
        return self._json


class ServiceRoute(APIRoute):
    """Does for every route what none does itself.

    It judges the caller before anything else, reads bodies exactly, tags the answer that shows a
    version, and keeps the answer of a keyed request in its transaction.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        requirement = find_requirement(self.dependant)
        versioned = is_versioned(self.response_model)

        async def handle_whole(request: Request) -> Response:
            if requirement is not None:  # First: a kept answer is for who may ask for it today.
                await requirement(request)
            response = await handle(ExactRequest(request.scope, request.receive))
            if response.status_code not in _SUCCESS:
                return response
            if versioned:
                response = tagged(request, response)
            claim: Claim | None = request.scope["state"].get("claim")
            if claim is not None:
                await claim.remember(response)
            return response

        return handle_whole


class DirectRoute(ServiceRoute):
    """The route of the hottest endpoints, which are `async def f(request, caller, asked)`.

    `asked` is a body, or one model of query parameters. The route is declared and documented like
    any other, but called straight: FastAPI's general solving of parameters and answers costs more
    than all that such an endpoint does itself.
    """

    async def call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is known to be for this route; what it raises is the caller's."""
        scope["route"] = self
        response = await self._direct(Request(scope, receive))
        await response(scope, receive, send)

    @cached_property
    def _direct(self) -> Handler:
        return self.get_route_handler()

    def get_route_handler(self) -> Handler:
        endpoint: Callable[..., Coroutine[Any, Any, BaseModel | Response]] = self.endpoint
        requirement = find_requirement(self.dependant)
        field = self.body_field or next(iter(self.dependant.query_params), None)
        model = field.field_info.annotation if field else None
        if requirement is None or model is None:
            raise TypeError(f"{self.path}: a direct route has a caller and a body or a query model")
        validate = TypeAdapter(model).validate_python
        read = _read_body if self.body_field else _read_query
        status = self.status_code or 200
        versioned = is_versioned(self.response_model)

        async def handle(request: Request) -> Response:
            exact = ExactRequest(request.scope, request.receive)
            caller = await requirement(exact)
            answer = await endpoint(exact, caller, await read(exact, validate))
            if isinstance(answer, Response):
                return answer
            response = Response(
                answer.__pydantic_serializer__.to_json(answer),
                status_code=status,
                media_type="application/json",
            )
            return tagged(request, response) if versioned else response

        return handle


async def _read_query(request: Request, validate: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - the query's model.
    try:
        return validate(dict(request.query_params))
    except ValidationError as error:
        raise _invalid("query", error) from error


async def _read_body(request: Request, validate: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - the body's model.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UnsupportedMediaType
    try:
        return validate(await request.json())
    except JSONDecodeError as error:
        raise RequestValidationError([_invalid_json(error)]) from error
    except ValidationError as error:
        raise _invalid("body", error) from error


def _invalid(part: str, error: ValidationError) -> RequestValidationError:
    return RequestValidationError(
        [{**found, "loc": (part, *found["loc"])} for found in error.errors()]
    )


def _invalid_json(error: JSONDecodeError) -> dict[str, Any]:
    return {"type": "json_invalid", "loc": ("body", error.pos), "msg": error.msg, "input": {}}


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON value.
    """Return what a body says; whatever is wrong with it is a JSONDecodeError."""
    try:
        return _EXACT.decode(body.decode())
    except JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise JSONDecodeError("not UTF-8, nested too deep, or a number too long", "", 0) from error


def _refuse_constant(name: str) -> None:
    raise JSONDecodeError(f"{name} is not JSON", name, 0)


_EXACT = JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
