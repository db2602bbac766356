"""A transaction that another one was in the way of is run again, while its client waits."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeVar

import asyncpg
from starlette.requests import Request

from shared.errors import StillLocked
from shared.log import log

ATTEMPTS: Final = 3  # Of transactions that the database ends at once.
PATIENCE_S: Final = 15.0  # Of a request without a deadline; the gateway gives most as much.
_TO_ANSWER_S: Final = 0.5  # Before the deadline, so that the answer is ours.
_CLASHES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_STACK: Final = "fastapi_function_astack"  # Of what ends with the route: the session is in it.
_Found = TypeVar("_Found")


async def attempted(request: Request, answer: Callable[[], Awaitable[_Found]]) -> _Found:
    """Return the answer, made in a transaction that is closed by then.

    Of transactions that wait for one another in a circle the database ends one, and whichever
    waits for a lock for longer than `lock_timeout`. Nothing of it stands, so it is run again, as
    its client would have to. A lock is waited for until the request's time is over. Raises
    StillLocked then.
    """
    loop = asyncio.get_running_loop()
    state = request.scope["state"]
    over_at = state.get("deadline_at", loop.time() + PATIENCE_S) - _TO_ANSWER_S
    clashes, waited = 0, False
    while not waited or loop.time() < over_at:
        try:
            # The first may take what time it has: only who had to wait is told of that.
            async with asyncio.timeout_at(over_at if waited else None) as patience:
                async with AsyncExitStack() as stack:
                    request.scope[_STACK] = stack
                    return await answer()
        except Exception as error:
            has_waited = patience.expired() or _is_of(error, asyncpg.LockNotAvailableError)
            has_clashed = _is_of(error, _CLASHES)
            waited, clashes = waited or has_waited, clashes + has_clashed
            if not has_waited and not (has_clashed and clashes < ATTEMPTS):
                raise
            log.warning("transaction gave way and is run again", reason=type(error).__name__)
            state.pop("claim", None)
    raise StillLocked


def _is_of(
    error: BaseException | None, kinds: type[Exception] | tuple[type[Exception], ...]
) -> bool:
    """Say whether the database ended it so; SQLAlchemy's wrappers carry asyncpg's exceptions."""
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = getattr(error, "orig", None) or error.__cause__
    return False
