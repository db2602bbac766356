"""Who may let a user who lost his second factor begin anew: two, of whom he is neither."""

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

LIFETIME: Final = timedelta(hours=24)  # Of a request that nobody approves.
PAIR: Final = 2  # Administrators beside the user: with so many a tenant needs nobody else.

Objection: TypeAlias = Literal["own", "same_person"]


def object_to(*, user_id: UUID, requested_by: UUID | None, caller_id: UUID) -> Objection | None:
    """Return why the caller cannot be one of the two, or None; `requested_by` is the other one."""
    if caller_id == user_id:
        return "own"
    return "same_person" if caller_id == requested_by else None


def is_settled(since: datetime, *, tenant_since: datetime, now: datetime, days: int) -> bool:
    """Say whether an administrator has been one for so many days, or the tenant is younger itself.

    Else one person, who makes a second account for himself, would be two.
    """
    wait = timedelta(days=days)
    return now - since >= wait or now - tenant_since < wait


def needs_platform(*, others_administering: int) -> bool:
    """Say whether a tenant with so many administrators beside the user cannot do by itself."""
    return others_administering < PAIR
