"""What auth journals of users."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from shared.journal import Entry

Origin = Literal[
    "installation",
    "registration",
    "administrator",
    "tenant",
    "invitation",
    "directory",
    "identity_provider",
]
EndReason = Literal["logout_all", "lock", "password_reset", "deactivation", "factor_recovery"]
DeactivationReason = Literal["left", "leave", "security", "directory", "other"]


class AboutUser(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("user", "user_id")
    user_id: UUID = Field(validation_alias=AliasChoices("user_id", "id"))  # `id` in the user's row.


class UserRegistered(AboutUser):
    name: ClassVar[str] = "auth.user-registered.v1"
    role: str
    origin: Origin


class UserProfileChanged(AboutUser):
    """`before` and `after` are JSON objects of the changed fields, sealed with the user's own key.

    It is gone once the user is erased. Before users had keys, they were sealed for this column.
    """

    name: ClassVar[str] = "auth.user-profile-changed.v1"
    changed: tuple[str, ...]
    before: str
    after: str


class UserAddressChanged(AboutUser):
    """`before` and `after` are JSON objects with the address, sealed as the profile is."""

    name: ClassVar[str] = "auth.user-address-changed.v1"
    before: str
    after: str


class UserRoleChanged(AboutUser):
    name: ClassVar[str] = "auth.user-role-changed.v1"
    before: str
    after: str


class UserLocationsChanged(AboutUser):
    """The ids of the locations that the user is limited to; null where he may work with all."""

    name: ClassVar[str] = "auth.user-locations-changed.v1"
    before: list[UUID] | None
    after: list[UUID] | None


class UserVerified(AboutUser):
    """The address was shown to be the user's, by a token that was sent to it."""

    name: ClassVar[str] = "auth.user-verified.v1"


class UserApproved(AboutUser):
    name: ClassVar[str] = "auth.user-approved.v1"


class UserInvited(AboutUser):
    """A mail went to somebody who may set a password and come in."""

    name: ClassVar[str] = "auth.user-invited.v1"
    role: str


class UserPasswordReset(AboutUser):
    """By a token that was sent to the user's address; all sessions ended."""

    name: ClassVar[str] = "auth.user-password-reset.v1"


class UserLocked(AboutUser):
    name: ClassVar[str] = "auth.user-locked.v1"


class UserPasswordChanged(AboutUser):
    """By the user; all access tokens that were out are refused."""

    name: ClassVar[str] = "auth.user-password-changed.v1"


class UserUnlocked(AboutUser):
    name: ClassVar[str] = "auth.user-unlocked.v1"


class UserDeactivated(AboutUser):
    """The account is closed until it is given back: nobody signs in, its API keys are revoked."""

    name: ClassVar[str] = "auth.user-deactivated.v1"
    reason: DeactivationReason


class UserErased(AboutUser):
    """All that tells who it was is gone: account, sign-ins, factors, keys, what a directory said.

    The id stays, in this journal and wherever it stands; what earlier entries hold of the profile
    opens no more.
    """

    name: ClassVar[str] = "auth.user-erased.v1"


class PersonalDataExported(AboutUser):
    """All that is kept of a person was given out, to him or to an administrator."""

    name: ClassVar[str] = "auth.personal-data-exported.v1"


class UserReactivated(AboutUser):
    name: ClassVar[str] = "auth.user-reactivated.v1"


class UserSessionsEnded(AboutUser):
    """All sessions of the user that started before this are over."""

    name: ClassVar[str] = "auth.user-sessions-ended.v1"
    reason: EndReason
