"""Keeps what a process signs and verifies by as the database has it."""

import asyncio
from contextlib import suppress

from services.auth.keys import service as keys
from services.auth.resources import AuthResources
from shared.clock import utc_now
from shared.db import Stamp
from shared.jobs import every

INTERVAL_S = 5.0  # Less than keys.rules.NOTICE: a key is known to all before it signs.


class KeyKeeper:
    """Looks at once and then every few seconds, beside the app; a failure waits for the next."""

    def __init__(self) -> None:
        self._keeping: asyncio.Task[None] | None = None

    async def start(self, resources: AuthResources) -> None:
        async def look() -> None:
            async with resources.database.transaction(Stamp(None, "keys")) as session:
                vault = resources.own
                await keys.renew(session, vault.keys, sealer=vault.sealer, now=utc_now())

        with suppress(Exception):
            await look()
        self._keeping = asyncio.create_task(every(INTERVAL_S, "look at the signing keys", look))

    async def stop(self, _resources: AuthResources) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
