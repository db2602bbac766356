from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.identity_providers.models import (
    IdentityLink,
    IdentityProvider,
    ProvidedSignIn,
)


async def find_provider(session: AsyncSession, *, lock: bool = False) -> IdentityProvider | None:
    """Return the provider of the tenant that the session works for."""
    query = select(IdentityProvider)
    return await session.scalar(query.with_for_update() if lock else query)


async def find_link(session: AsyncSession, candidates: Sequence[bytes]) -> IdentityLink | None:
    return await session.scalar(
        select(IdentityLink).where(IdentityLink.subject_index.in_(candidates))
    )


async def reindex_link(session: AsyncSession, earlier: bytes, index: bytes) -> None:
    """Find a link by another index from now on; who else did that at the same time has done it."""
    removed = delete(IdentityLink).where(IdentityLink.subject_index == earlier)
    link = (await session.scalars(removed.returning(IdentityLink))).one_or_none()
    if link is not None:
        values = {"user_id": link.user_id, "linked_at": link.linked_at, "subject_index": index}
        await session.execute(insert(IdentityLink).values(values))


async def remove_links(session: AsyncSession) -> None:
    """Remove all that the provider vouched for: links, and sign-ins that are not finished."""
    await session.execute(delete(IdentityLink))
    await session.execute(delete(ProvidedSignIn))


async def lock_sign_in(session: AsyncSession, sign_in_id: UUID) -> ProvidedSignIn | None:
    query = select(ProvidedSignIn).where(ProvidedSignIn.id == sign_in_id)
    return await session.scalar(query.with_for_update())


async def remove_sign_in(session: AsyncSession, sign_in_id: UUID) -> bool:
    """Remove a sign-in; say whether it was this call that did."""
    statement = delete(ProvidedSignIn).where(ProvidedSignIn.id == sign_in_id)
    found = await session.scalar(statement.returning(ProvidedSignIn.id))
    return found is not None
