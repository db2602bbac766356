"""A transaction that the database ended, since it clashed with another one, is run again."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
from fastapi import Response
from starlette.requests import Request

from shared.log import log

ATTEMPTS: Final = 3
_CLASHES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_STACK: Final = "fastapi_function_astack"  # Of what ends with the route: the session is in it.


async def attempted(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Return the answer, made in a transaction that is closed by then.

    Of transactions that wait for one another in a circle the database ends one. Nothing of it
    stands, so it is run again, as its client would have to; the others are mostly through by then.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with AsyncExitStack() as stack:
                request.scope[_STACK] = stack
                return await answer()
        except Exception as error:
            if attempt == ATTEMPTS or not _is_clash(error):
                raise
            log.warning("transaction clashed and is run again", attempt=attempt)
            request.scope["state"].pop("claim", None)
    raise AssertionError  # pragma: no cover - the loop returns or raises.


def _is_clash(error: BaseException | None) -> bool:
    """Say whether an exception comes from a clash; SQLAlchemy's wrappers carry asyncpg's own."""
    while error is not None:
        if isinstance(error, _CLASHES):
            return True
        error = getattr(error, "orig", None) or error.__cause__
    return False
