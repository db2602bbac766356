"""What a route of auth may ask of its request, beside what every route may."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.resources import AuthResources
from services.auth.transactions import ClaimKey, Transactions
from services.auth.vault import Vault
from shared.web.idempotency import IdempotencyKey, Keyholder
from shared.web.requests import device_of, get_resources, request_id_of
from shared.web.session import claim_key


def resources_of(request: Request) -> AuthResources:
    return get_resources(request)


async def get_vault(request: Request) -> Vault:
    return resources_of(request).own


async def _keyed(
    request: Request, idempotency_key: IdempotencyKey = None
) -> AsyncIterator[Transactions]:
    async with AsyncExitStack() as until_reply:
        yield _transactions(request, until_reply, _claiming(request, idempotency_key))


async def _keyless(request: Request) -> AsyncIterator[Transactions]:
    """For what is safe to repeat by itself: it takes no Idempotency-Key."""
    async with AsyncExitStack() as until_reply:
        yield _transactions(request, until_reply, None)


def _transactions(
    request: Request, until_reply: AsyncExitStack, claim: ClaimKey | None
) -> Transactions:
    return Transactions(
        resources_of(request),
        until_reply,
        request_id=request_id_of(request),
        device=device_of(request),
        claim_key=claim,
    )


def _claiming(request: Request, key: str | None) -> ClaimKey | None:
    if key is None:
        return None

    async def claim(session: AsyncSession, holder: str) -> None:
        await claim_key(request, session, Keyholder(holder), key)

    return claim


Secrets = Annotated[Vault, Depends(get_vault)]
KeyedTransactions = Annotated[Transactions, Depends(_keyed, scope="function")]
KeylessTransactions = Annotated[Transactions, Depends(_keyless, scope="function")]
