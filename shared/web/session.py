"""One request, one transaction, closed before the reply is sent."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from shared import journal
from shared.db import Stamp
from shared.errors import IdempotencyKeyInvalid
from shared.principal import Principal
from shared.request_key import RequestKey
from shared.web import idempotency
from shared.web.attempts import attempted
from shared.web.dry_run import is_dry_run
from shared.web.idempotency import KEY_HEADER, Claim, IdempotencyKey, Keyholder
from shared.web.permissions import Anybody
from shared.web.requests import get_resources, request_id_of


async def open_session(
    request: Request, caller: Anybody, idempotency_key: IdempotencyKey = None
) -> AsyncIterator[AsyncSession]:
    """Open the request's transaction for the caller's tenant.

    The route's answer is built inside it, then it commits, and only then is the answer sent: a
    commit that fails has not answered anything. With an Idempotency-Key on a POST the key is
    claimed here, and the answer stored by `ServiceRoute` before the commit. What a dry run did is
    rolled back instead.

    Raises Unauthorized where the service knows that the caller's sign-in was ended meanwhile.
    """
    resources = get_resources(request)
    tries = is_dry_run(request)
    stamp = Stamp(caller.tenant_id, caller.actor, request_id_of(request), is_trial=tries)
    async with resources.database.transaction(stamp) as session:
        if resources.require_standing is not None:
            await resources.require_standing(session, caller)
        if idempotency_key is not None and request.method == "POST" and not tries:
            holder = Keyholder(caller.actor, caller.scopes, caller.locations)
            await claim_key(request, session, holder, idempotency_key)
        yield session
    if journal.has_grown(session) and not tries:
        resources.waker.wake(resources.service)


async def answer_in_session(
    request: Request,
    caller: Principal,
    answer: Callable[[AsyncSession], Awaitable[Response]],
) -> Response:
    """Return the answer made in the request's transaction, where a route has none by itself.

    As with one that has: it is kept under the request's Idempotency-Key, and made again where the
    transaction clashed with another.
    """

    async def attempt() -> Response:
        async with _opened(request, caller, request.headers.get(KEY_HEADER)) as session:
            response = await answer(session)
            claim: Claim | None = request.scope["state"].get("claim")
            if claim is not None:
                await claim.remember(response)
        return response

    return await attempted(request, attempt)


async def claim_key(request: Request, session: AsyncSession, holder: Keyholder, key: str) -> None:
    """Take the request's Idempotency-Key in this transaction; `ServiceRoute` keeps the answer.

    Raises Replay with the answer of the first sending, IdempotencyKeyReused, IdempotencyInProgress,
    IdempotencyAnswerWithheld.
    """
    checked = await _request_key(request, key)
    request.state.claim = await idempotency.claim(
        session, holder, checked, get_resources(request).answer_sealer
    )


async def find_request_key(request: Request) -> RequestKey | tuple[None, None]:
    """Return the key of a request whose route claims it by itself. Raises IdempotencyKeyInvalid."""
    key = request.headers.get(KEY_HEADER)
    return (None, None) if key is None else await _request_key(request, key)


async def _request_key(request: Request, key: str) -> RequestKey:
    """Return the key with what it stands for, this very request. Raises IdempotencyKeyInvalid."""
    if len(request.headers.getlist(KEY_HEADER)) > 1:
        raise IdempotencyKeyInvalid
    fingerprint = idempotency.fingerprint(
        "POST", request.url.path, await request.body(), get_resources(request).fingerprint_key
    )
    return RequestKey(idempotency.checked_key(key), fingerprint)


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
_opened = asynccontextmanager(open_session)
