"""The route class of every service: what holds for each route is done here, and by no route."""

from collections.abc import Callable, Coroutine, Iterator
from functools import cached_property, partial
from inspect import isclass
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from starlette.types import Receive, Scope, Send

from shared.limits import BODY_LIMIT_BYTES, SMALL_LIMIT_BYTES
from shared.web.attempts import attempted
from shared.web.dry_run import DRY_RUN, TRUE, is_dry_run, mark_tried, may_be_tried
from shared.web.etag import is_versioned, tagged
from shared.web.idempotency import Claim
from shared.web.permissions import find_gate, find_requirement
from shared.web.problems import RefusalForm
from shared.web.reading import (
    StrictRequest,
    faults_of_parameters,
    faults_of_path,
    read_body,
    validated,
)
from shared.written import form_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_SUCCESS = range(200, 300)


class ServiceRoute(APIRoute):
    """Does for every route what none does itself.

    It judges the caller before anything else; refuses parameters that the route does not have, and
    bodies larger than `max_body_size`; reads strictly and exactly; tags the answer that shows a
    version; keeps the answer of a keyed request in its transaction; runs that again where it
    clashed with another; lets a change be tried, where the service offers that
    (`shared.web.dry_run`).
    """

    body_limit_bytes = BODY_LIMIT_BYTES
    refusal_form: RefusalForm | None = None  # Where what is refused is no problem document.

    def __init__(self, *args: Any, max_body_size: int | None = None, **more: Any) -> None:  # noqa: ANN401 - APIRoute's own.
        if max_body_size is not None:
            self.body_limit_bytes = max_body_size
        super().__init__(*args, **more)  # Without it: FastAPI's own limit costs a layer more.

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        prepare = self._preparing()
        versioned = is_versioned(self.response_model)
        validate = self._body_validator()

        async def answer(request: StrictRequest) -> Response:
            response = await handle(request)
            claim: Claim | None = request.scope["state"].get("claim")
            if response.status_code not in _SUCCESS:
                if claim is not None:  # A refusal that is answered, not raised, keeps no key.
                    await claim.forget()
                return response
            if is_dry_run(request):
                mark_tried(response)
                return response
            if versioned:
                response = tagged(request, response)
            if claim is not None:
                await claim.remember(response)
            return response

        async def handle_whole(request: Request) -> Response:
            strict = await prepare(request)
            if validate is not None:
                await strict.hold_body(validate)
            return await attempted(strict, partial(answer, strict))

        return handle_whole

    def _preparing(self) -> Callable[[Request], Coroutine[Any, Any, StrictRequest]]:
        """Return what is done before a request is looked at any further."""
        gate = find_gate(self.dependant)
        query_fields = list(_all_fields(self.dependant, "query_params"))
        queries = _forms(self.dependant, "query_params")
        paths = _forms(self.dependant, "path_params")
        limit_bytes = self.body_limit_bytes
        tried = {DRY_RUN: bool} if may_be_tried(self.methods, self.dependant) else {}

        async def prepare(request: Request) -> StrictRequest:
            if gate is not None:  # First: a kept answer is for who may ask for it today.
                await gate(request)
            strict = StrictRequest(request, limit_bytes)
            faults = []
            if request.scope["query_string"]:
                known = queries | tried if tried and request.app.state.dry_runs else queries
                faults += faults_of_parameters(strict.query_params, known)
                request.scope["state"][DRY_RUN] = strict.query_params.get(DRY_RUN) in TRUE
            if paths:
                faults += faults_of_path(request.scope["path"], request.path_params, paths)
            if faults:  # With what else is wrong, so that all of it is told at once.
                named = {fault["loc"] for fault in faults}
                _, others = request_params_to_args(query_fields, strict.query_params)
                faults += [one for one in others if tuple(one["loc"]) not in named]
                raise RequestValidationError(faults)
            return strict

        return prepare

    def _body_validator(self) -> Callable[[Any], Any] | None:
        if self.body_field is None:
            return None
        if self._embed_body_fields:
            raise TypeError(f"{self.path}: a body is one model")
        model: Any = self.body_field.field_info.annotation
        return TypeAdapter(model).validate_python


class SmallRoute(ServiceRoute):
    """A route whose bodies are the few fields that a person fills in."""

    body_limit_bytes = SMALL_LIMIT_BYTES


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
        asked = self._reading()
        prepare = self._preparing()
        if requirement is None or asked is None:
            raise TypeError(f"{self.path}: a direct route has a caller and a body or a query model")
        status = self.status_code or 200
        versioned = is_versioned(self.response_model)

        async def handle(request: Request) -> Response:
            strict = await prepare(request)
            caller = request.scope["state"]["caller"]  # Whom the gate let in.
            answer = await endpoint(strict, caller, await asked(strict))
            response = (
                answer
                if isinstance(answer, Response)
                else Response(
                    answer.__pydantic_serializer__.to_json(answer),
                    status_code=status,
                    media_type="application/json",
                )
            )
            if is_dry_run(request):
                mark_tried(response)
            elif versioned and response is not answer:
                response = tagged(request, response)
            return response

        return handle

    def _reading(self) -> Callable[[StrictRequest], Coroutine[Any, Any, Any]] | None:
        """Return what makes a request the endpoint's third argument."""
        validate = self._body_validator()
        if validate is not None:
            return partial(read_body, validate=validate)
        model = next((field.field_info.annotation for field in self.dependant.query_params), None)
        if model is None:
            return None
        check = TypeAdapter(model).validate_python

        async def read_query(request: StrictRequest) -> Any:  # noqa: ANN401 - the query's model.
            return validated(check, dict(request.query_params.multi_items()), "query")

        return read_query


def _forms(dependant: Dependant, part: str) -> dict[str, type | None]:
    """Return the parameters that a route takes in one part of its request, with their forms."""
    return {
        name: form_of(annotation)
        for field in _all_fields(dependant, part)
        for name, annotation in _named(field)
    }


def _all_fields(dependant: Dependant, part: str) -> Iterator[Any]:
    yield from getattr(dependant, part)
    for inner in dependant.dependencies:
        yield from _all_fields(inner, part)


def _named(field: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a field of FastAPI.
    """Name a parameter, or those of which a model consists, with their annotations."""
    annotation = field.field_info.annotation
    if isclass(annotation) and issubclass(annotation, BaseModel):
        for name, inner in annotation.model_fields.items():
            yield inner.alias or name, inner.annotation
    else:
        yield field.alias, annotation
