from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.scim.models import ProvisionedUser
from services.auth.users.models import User
from services.auth.users.rules import Role

# An account, and what the directory says of it: nothing where it never wrote to it.
Pair: TypeAlias = tuple[User, ProvisionedUser | None]


class Looked(NamedTuple):
    """One condition of a look-up; a text by its blind indices, of today's key and earlier ones."""

    by: Literal["id", "user_name", "external_id", "email", "active"]
    value: UUID | bool | None = None
    indices: Sequence[bytes] = ()
    email_indices: Sequence[bytes] = ()  # A user name is the address, unless another was given.


async def find_user(session: AsyncSession, user_id: UUID) -> Pair | None:
    """Return an account that the directory sees."""
    row = (await session.execute(_seen().where(User.id == user_id))).one_or_none()
    return None if row is None else (row[0], row[1])


async def find_named(
    session: AsyncSession, names: Sequence[bytes], emails: Sequence[bytes]
) -> Pair | None:
    """Return the account of this user name, or of this address; those removed too."""
    query = _joined().where(
        or_(ProvisionedUser.user_name_index.in_(names), User.email_index.in_(emails))
    )
    row = (await session.execute(query.order_by(User.id).limit(1))).one_or_none()
    return None if row is None else (row[0], row[1])


async def lock_after(
    session: AsyncSession, user_id: UUID | None, *, limit: int
) -> Sequence[ProvisionedUser]:
    """Return what a directory says of accounts, by their ids, those after one of them."""
    query = select(ProvisionedUser).order_by(ProvisionedUser.user_id).limit(limit)
    if user_id is not None:
        query = query.where(ProvisionedUser.user_id > user_id)
    return (await session.scalars(query.with_for_update())).all()


async def list_users(
    session: AsyncSession, looked: Sequence[Looked], *, offset: int, limit: int
) -> Sequence[Pair]:
    query = _seen().where(*map(_condition, looked)).order_by(User.id)
    rows = await session.execute(query.offset(offset).limit(limit))
    return [(row[0], row[1]) for row in rows]


async def count_users(session: AsyncSession, looked: Sequence[Looked]) -> int:
    query = _seen().where(*map(_condition, looked)).with_only_columns(func.count())
    return await session.scalar(query) or 0


async def list_members(session: AsyncSession, role: Role) -> Sequence[UUID]:
    """Return who of those that the directory sees has the role."""
    query = _seen().where(User.role == role).with_only_columns(User.id).order_by(User.id)
    return (await session.scalars(query)).all()


async def list_roles(session: AsyncSession, user_ids: Sequence[UUID]) -> dict[UUID, Role]:
    """Return the roles of those that the directory sees."""
    query = _seen().where(User.id.in_(user_ids)).with_only_columns(User.id, User.role)
    return {row.id: row.role for row in await session.execute(query)}


def _joined() -> Select[User, ProvisionedUser]:
    return select(User, ProvisionedUser).outerjoin(
        ProvisionedUser, ProvisionedUser.user_id == User.id
    )


def _seen() -> Select[User, ProvisionedUser]:
    return _joined().where(ProvisionedUser.removed_at.is_(None), User.erased_at.is_(None))


def _condition(looked: Looked) -> ColumnElement[bool]:
    match looked.by:
        case "id":
            return User.id == looked.value
        case "user_name":
            return or_(
                ProvisionedUser.user_name_index.in_(looked.indices),
                and_(ProvisionedUser.user_id.is_(None), User.email_index.in_(looked.email_indices)),
            )
        case "external_id":
            return ProvisionedUser.external_id_index.in_(looked.indices)
        case "email":
            return User.email_index.in_(looked.email_indices)
        case "active":
            gone = User.deactivated_at
            return gone.is_(None) if looked.value else gone.is_not(None)
