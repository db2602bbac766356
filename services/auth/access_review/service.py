"""A review of access: who may do what in a tenant, since when, by whom, and when it was used."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.access_review import queries
from services.auth.access_review.rules import Reviewed, list_conflicts
from services.auth.users import service as users
from services.auth.users.schemas import UserQuery, UserRead
from services.auth.vault import Vault
from shared.contracts.auth.users import UserRoleChanged
from shared.pagination import LIMIT_MAX


async def get_review(session: AsyncSession, *, vault: Vault, now: datetime) -> dict[str, Any]:
    """Return everybody of the session's tenant, each with rights, use and conflicts."""
    uses = await queries.list_uses(session, now)
    grants = await queries.list_grants(session)
    sign_ins = await queries.list_sign_ins(session)
    keys: defaultdict[UUID, list[RowMapping]] = defaultdict(list)
    for key in await queries.list_keys(session, now):
        keys[key["user_id"]].append(key)
    people = [
        _told(user, uses[user.id], grants, sign_ins, keys[user.id])
        for user in await _list_everybody(session, vault)
        if user.id in uses  # Not of somebody who came just now.
    ]
    conflicts = list_conflicts([_reviewed(person) for person in people], now)
    return {
        "users": people,
        "conflicts": [asdict(each) for each in conflicts if each.control is None],
        "controlled": [asdict(each) for each in conflicts if each.control is not None],
        "sign_in": dict(await queries.list_directories(session)),
    }


async def _list_everybody(session: AsyncSession, vault: Vault) -> list[UserRead]:
    found: list[UserRead] = []
    cursor: str | None = None
    while True:
        asked = UserQuery(cursor=cursor, limit=LIMIT_MAX)
        page = await users.list_users(session, asked, vault=vault)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def _told(
    user: UserRead,
    use: RowMapping,
    grants: Mapping[str, RowMapping],
    sign_ins: Mapping[str, datetime],
    keys: Sequence[RowMapping],
) -> dict[str, Any]:
    subject = f"user:{user.id}"
    grant = grants.get(subject)
    used = [at for at in (use["refreshed_at"], sign_ins.get(subject)) if at is not None]
    return {
        **user.model_dump(mode="json", include=_OF_USER),
        "second_factors": ["authenticator"] * use["authenticator"] + ["passkey"] * use["passkeys"],
        "sessions": use["sessions"],
        "last_used_at": max(used, default=None),
        "role_given_by": grant["actor"] if grant else None,
        "role_given_at": grant["recorded_at"] if grant else None,
        "role_given_as": grant["type"] if grant else None,
        "api_keys": [
            {name: value for name, value in key.items() if name != "user_id"} for key in keys
        ],
    }


def _reviewed(person: Mapping[str, Any]) -> Reviewed:
    return Reviewed(
        id=person["id"],
        is_active=person["status"] == "active",
        is_admin=person["role"] == "admin",
        scopes=frozenset(person["scopes"]),
        has_factor=bool(person["second_factors"]),
        last_used_at=person["last_used_at"],
        created_at=datetime.fromisoformat(person["created_at"]),
        # Who registers gives himself the least of roles, which everybody may.
        granted_by=person["role_given_by"] if person["role_given_as"] == _CHANGED else None,
        key_scopes=frozenset(scope for key in person["api_keys"] for scope in key["scopes"]),
    )


_CHANGED = UserRoleChanged.name
_OF_USER = {"id", "email", "name", "role", "scopes", "locations", "status", "created_at"}
