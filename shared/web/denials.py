"""Refusals of signed-in callers, journaled: who asked for what he may not is for an auditor."""

import time
from collections.abc import Callable
from typing import Any, Final

from fastapi import Request

from shared import journal
from shared.db import Stamp
from shared.journal import AccessDenied
from shared.log import log
from shared.principal import Principal
from shared.resources import Resources
from shared.web.requests import get_resources, request_id_of

INTERVAL_S: Final = 60.0  # Between two entries of equal refusals.
KNOWN_MAX: Final = 10_000  # Of different refusals; the oldest is forgotten first.

_Refusal = tuple[str, str, str]


class Denials:
    """Writes an entry for a refusal, in a transaction of its own, since the request's ends with it.

    A flood of them cannot fill the journal: of equal ones one a minute is written, with the number
    of those since the one before.
    """

    def __init__(
        self, entry: type[AccessDenied], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entry = entry
        self._clock = clock
        self._written_at: dict[_Refusal, float] = {}
        self._unwritten: dict[_Refusal, int] = {}

    async def record(self, request: Request, caller: Principal, needed: str) -> None:
        """Journal that the caller lacked what a route needs. The refusal stands if that fails."""
        stamp = Stamp(caller.tenant_id, caller.actor, request_id_of(request))
        route = f"{request.method} {_template(request)}"
        await self.note(get_resources(request), stamp, route, needed)

    async def note(self, resources: Resources[Any], stamp: Stamp, route: str, needed: str) -> None:
        """Journal a refusal by whoever it was, `stamp` telling of whom and by which request."""
        refusal = (stamp.actor, route, needed)
        if self._clock() - self._written_at.get(refusal, -INTERVAL_S) < INTERVAL_S:
            self._unwritten[refusal] = self._unwritten.get(refusal, 0) + 1
            return
        self._remember(refusal)
        unwritten = self._unwritten.pop(refusal, 0)
        try:
            async with resources.database.transaction(stamp) as session:
                entry = self._entry(route=route, needed=needed, unwritten=unwritten)
                journal.record(session, entry)
        except Exception as error:  # noqa: BLE001 - the caller is refused all the same.
            log.error("a refusal was not journaled", reason=type(error).__name__)
            return
        resources.waker.wake(resources.service)

    def _remember(self, refusal: _Refusal) -> None:
        self._written_at.pop(refusal, None)  # The order is that of writing.
        self._written_at[refusal] = self._clock()
        if len(self._written_at) > KNOWN_MAX:
            oldest = next(iter(self._written_at))
            del self._written_at[oldest]
            self._unwritten.pop(oldest, None)


def _template(request: Request) -> str:
    """Return the path of the route, its parameters by name."""
    route = request.scope.get("route")
    return str(getattr(route, "path", request.scope["path"]))
