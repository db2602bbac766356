from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users.models import User
from services.auth.users.rules import Role, Status


async def find_user(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> User | None:
    """Return the user; with `lock`, as he is now, and so until the transaction ends."""
    query = select(User).where(User.id == user_id)
    return await session.scalar(_held(query) if lock else query)


async def find_by_index(session: AsyncSession, candidates: Sequence[bytes]) -> User | None:
    return await session.scalar(select(User).where(User.email_index.in_(candidates)))


async def list_after(session: AsyncSession, user_id: UUID | None, *, limit: int) -> Sequence[User]:
    """Return users by their ids, those after one of them."""
    query = select(User).order_by(User.id).limit(limit)
    return (
        await session.scalars(query if user_id is None else query.where(User.id > user_id))
    ).all()


async def list_users(
    session: AsyncSession,
    *,
    after: tuple[UUID] | None,
    role: Role | None,
    locked: bool | None,
    status: Status | None,
    limit: int,
) -> Sequence[User]:
    query = select(User).order_by(User.id).limit(limit)
    if after is not None:
        query = query.where(User.id > after[0])
    if role is not None:
        query = query.where(User.role == role)
    if locked is not None:
        query = query.where(User.locked_at.is_not(None) if locked else User.locked_at.is_(None))
    if status is not None:
        query = query.where(*_HAVING[status])
    return (await session.scalars(query)).all()


async def lock_with_administrators(session: AsyncSession, user_id: UUID) -> Sequence[User]:
    """Lock the user and all administrators who can sign in, in key order, and return them."""
    administers = and_(User.role == "admin", *_HAVING["active"])
    query = select(User).where(or_(User.id == user_id, administers)).order_by(User.id)
    return (await session.scalars(_held(query))).all()


async def list_tenant_names(session: AsyncSession, tenant_id: UUID) -> Sequence[str]:
    """Return the short and the full name of a tenant."""
    row = (await session.execute(_TENANT_NAMES, {"id": tenant_id})).one()
    return list(row)


async def list_administrators(session: AsyncSession) -> Sequence[User]:
    query = select(User).where(User.role == "admin", *_HAVING["active"]).order_by(User.id)
    return (await session.scalars(query)).all()


async def has_administrator(session: AsyncSession) -> bool:
    """Say whether the tenant has an administrator, be he locked or not."""
    found = await session.scalar(select(User.id).where(User.role == "admin").limit(1))
    return found is not None


def _held(query: Select[User]) -> Select[User]:
    """Lock the rows, and read them as they are then: the session may know them as they were."""
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


_TENANT_NAMES = text("SELECT slug, name FROM tenants WHERE id = :id")
_STAYS = User.deactivated_at.is_(None)
_OPEN = and_(_STAYS, User.locked_at.is_(None))
_VERIFIED, _APPROVED = User.verified_at.is_not(None), User.approved_at.is_not(None)
_HAVING: Mapping[Status, Sequence[ColumnElement[bool]]] = {
    "deactivated": [~_STAYS],
    "locked": [_STAYS, User.locked_at.is_not(None)],
    "active": [_OPEN, _VERIFIED, _APPROVED],
    "pending": [_OPEN, _VERIFIED, ~_APPROVED],
    "invited": [_OPEN, ~_VERIFIED, _APPROVED],
    "unverified": [_OPEN, ~_VERIFIED, ~_APPROVED],
}
