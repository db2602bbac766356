"""Telling auth whom the door refused, so that an auditor finds it in the journal.

What a service refuses it journals itself. Auth writes one entry a minute of equal refusals; so many
at a time are on their way to it, and what comes beyond them stands in the log alone.
"""

import asyncio
from typing import Final

import httpx
import structlog

from gateway.call import Call
from shared.errors import Problem
from shared.http import ServiceClient
from shared.principal import actor_of

PATH: Final = "/internal/access-denied"
UNDER_WAY_MAX: Final = 16
TIMEOUT_S: Final = 5.0

log = structlog.get_logger()


class DenialReports:
    """Reports refusals without holding up who is refused."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._under_way: set[asyncio.Task[None]] = set()

    def report(self, call: Call, needed: str) -> None:
        """Let it be journaled that whoever calls lacks a scope."""
        claims = call.claims
        if claims is None:
            return
        said = {
            "tenant_id": str(claims.tid),
            "actor": actor_of(claims.sub, claims.sid, claims.amr),
            "request_id": call.request_id.decode(),
            "route": f"{call.method} {call.route}",
            "needed": needed,
        }
        if len(self._under_way) >= UNDER_WAY_MAX:
            log.warning("a refusal was not journaled", **said)
            return
        telling = asyncio.create_task(self._tell(said))
        self._under_way.add(telling)
        telling.add_done_callback(self._under_way.discard)

    async def _tell(self, said: dict[str, str]) -> None:
        try:
            await self._client.post_json("auth", PATH, said, timeout_s=TIMEOUT_S)
        except (httpx.HTTPError, Problem) as error:
            log.warning("a refusal was not journaled", **said, reason=repr(error))
