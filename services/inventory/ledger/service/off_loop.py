"""Much work at once is done in a thread: others go on meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

OFF_LOOP_FROM = 500  # Changes.
_Found = TypeVar("_Found")


async def off_loop(size: int, work: Callable[..., _Found], *arguments: object) -> _Found:
    """Return what the work gives; where there is much of it, without holding up the event loop."""
    if size < OFF_LOOP_FROM:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)
