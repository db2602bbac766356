"""The route class of every service: exact numbers in, stored answers for keyed requests."""

import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from json import JSONDecodeError
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from shared.web.idempotency import Claim

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_SUCCESS = range(200, 300)


class ExactRequest(Request):
    """A request whose JSON numbers with a point are decimals, never binary floats."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value.
        if not hasattr(self, "_json"):
            self._json = json.loads(
                await self.body(), parse_float=Decimal, parse_constant=_refuse_constant
            )
        return self._json


class ServiceRoute(APIRoute):
    """Reads bodies exactly, and keeps the answer of a keyed request in its transaction."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_keyed(request: Request) -> Response:
            response = await handle(ExactRequest(request.scope, request.receive))
            claim: Claim | None = request.scope["state"].get("claim")
            if claim is not None and response.status_code in _SUCCESS:
                await claim.remember(response)
            return response

        return handle_keyed


def _refuse_constant(name: str) -> None:
    raise JSONDecodeError(f"{name} is not JSON", name, 0)
