"""Transactions of requests without a token: these find their tenant first."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import journal
from shared.db import Stamp
from shared.principal import Device, Principal
from shared.resources import Resources

ANONYMOUS = "anonymous"

# Claims the request's Idempotency-Key in a transaction, for a holder that goes by this name.
ClaimKey = Callable[[AsyncSession, str], Awaitable[None]]


class Transactions:
    """Opens transactions for somebody not yet known. As with `Session`, all end before the reply.

    A sign-in needs several: its attempt stays counted when it is refused, and no connection is
    held while a password is hashed.
    """

    def __init__(
        self,
        resources: Resources[Any],
        until_reply: AsyncExitStack,
        *,
        request_id: str,
        device: Device,
        claim_key: ClaimKey | None,
    ) -> None:
        self._resources = resources
        self._until_reply = until_reply
        self._request_id = request_id
        self._claim_key = claim_key
        self.device = device

    @asynccontextmanager
    async def open(
        self, tenant_id: UUID | None, actor: str = ANONYMOUS
    ) -> AsyncIterator[AsyncSession]:
        """Open one transaction; leaving the block commits it, whatever is answered later."""
        stamp = Stamp(tenant_id, actor, self._request_id)
        async with self._resources.database.transaction(stamp) as session:
            yield session
        if journal.has_grown(session):
            self._resources.waker.wake(self._resources.service)

    @asynccontextmanager
    async def open_as(
        self, caller: Principal, *, tenant_id: UUID | None = None
    ) -> AsyncIterator[AsyncSession]:
        """Open one transaction of a caller whose sign-in stands, in his tenant or another.

        Raises Unauthorized.
        """
        async with self.open(caller.tenant_id, caller.actor) as session:
            if self._resources.require_standing is not None:
                await self._resources.require_standing(session, caller)
            if tenant_id in {None, caller.tenant_id}:
                yield session
                return
        async with self.open(tenant_id, caller.actor) as session:
            yield session

    async def open_until_reply(self, tenant_id: UUID, *about: str) -> AsyncSession:
        """Open the transaction that ends with the request, with its Idempotency-Key claimed.

        `about` is what the request names: a key is one for each, so that neither another's key nor
        the tenant that a request falls to can be told by it. A problem rolls it back. Raises what
        `claim_key` does.
        """
        session = await self._until_reply.enter_async_context(self.open(tenant_id))
        if self._claim_key is not None:
            secret = self._resources.fingerprint_key
            mark = hmac.digest(secret, json.dumps(about).encode(), hashlib.sha256).hex()
            await self._claim_key(session, f"{ANONYMOUS}:{mark}")
        return session
