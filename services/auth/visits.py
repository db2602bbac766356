"""Requests without a token: they find their tenant first, then open transactions for it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from shared import journal
from shared.db import Stamp
from shared.web.idempotency import IdempotencyKey
from shared.web.requests import get_resources, request_id_of
from shared.web.session import claim_key

ANONYMOUS = "anonymous"


class Visit:
    """Somebody not yet known. Like `Session`, everything it opens commits before the reply."""

    def __init__(self, request: Request, key: str | None, until_reply: AsyncExitStack) -> None:
        self._request = request
        self._resources = get_resources(request)
        self._key = key
        self._until_reply = until_reply

    @asynccontextmanager
    async def transaction(
        self, tenant_id: UUID | None, actor: str = ANONYMOUS
    ) -> AsyncIterator[AsyncSession]:
        """Open one transaction; leaving the block commits it, whatever is answered later."""
        stamp = Stamp(tenant_id, actor, request_id_of(self._request))
        async with self._resources.database.transaction(stamp) as session:
            yield session
        if journal.has_grown(session):
            self._resources.waker.wake(self._resources.service)

    async def enter(self, tenant_id: UUID) -> AsyncSession:
        """Open the transaction that ends with the request, with its Idempotency-Key claimed.

        A problem rolls it back. Raises what `claim_key` does.
        """
        session = await self._until_reply.enter_async_context(self.transaction(tenant_id))
        if self._key is not None:
            await claim_key(self._request, session, ANONYMOUS, self._key)
        return session


async def open_visit(
    request: Request, idempotency_key: IdempotencyKey = None
) -> AsyncIterator[Visit]:
    async with AsyncExitStack() as until_reply:
        yield Visit(request, idempotency_key, until_reply)


async def open_keyless_visit(request: Request) -> AsyncIterator[Visit]:
    """Open a visit whose repetition is safe by itself: it takes no Idempotency-Key."""
    async with AsyncExitStack() as until_reply:
        yield Visit(request, None, until_reply)


KeyedVisit = Annotated[Visit, Depends(open_visit, scope="function")]
KeylessVisit = Annotated[Visit, Depends(open_keyless_visit, scope="function")]
