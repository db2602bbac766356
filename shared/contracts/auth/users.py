"""What auth journals of users."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry

Origin = Literal["installation", "registration", "administrator", "tenant"]
EndReason = Literal["logout_all", "lock"]


class AboutUser(Entry):
    user_id: UUID

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"


class UserRegistered(AboutUser):
    name: ClassVar[str] = "auth.user-registered.v1"
    role: str
    origin: Origin


class UserProfileChanged(AboutUser):
    """`before` and `after` are JSON objects of the changed fields, sealed for this column."""

    name: ClassVar[str] = "auth.user-profile-changed.v1"
    changed: tuple[str, ...]
    before: str
    after: str


class UserRoleChanged(AboutUser):
    name: ClassVar[str] = "auth.user-role-changed.v1"
    before: str
    after: str


class UserLocked(AboutUser):
    name: ClassVar[str] = "auth.user-locked.v1"


class UserUnlocked(AboutUser):
    name: ClassVar[str] = "auth.user-unlocked.v1"


class UserSessionsEnded(AboutUser):
    """All sessions of the user that started before this are over."""

    name: ClassVar[str] = "auth.user-sessions-ended.v1"
    reason: EndReason
