"""What auth refuses. Texts are English sources; the French is in `locales/`."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
)
from shared.i18n import N_


@dataclass(eq=False)
class InvalidCredentials(Unauthorized):
    """The address is unknown or the password wrong: never said which."""

    slug: ClassVar[str] = "invalid-credentials"
    title: ClassVar[str] = N_("Sign-in failed")
    detail: ClassVar[str] = N_("The e-mail address or the password is wrong.")


@dataclass(eq=False)
class AccountLocked(Forbidden):
    """Told only to somebody who gave the right password."""

    slug: ClassVar[str] = "account-locked"
    title: ClassVar[str] = N_("Account locked")
    detail: ClassVar[str] = N_("This account is locked. Ask an administrator to unlock it.")


@dataclass(eq=False)
class SignInThrottled(TooManyRequests):
    """Too many attempts on one account, whether it exists or not."""

    slug: ClassVar[str] = "sign-in-throttled"
    title: ClassVar[str] = N_("Too many attempts")
    detail: ClassVar[str] = N_(
        "There were too many attempts to sign in to this account. "
        "Try again in {retry_after_s} seconds."
    )


@dataclass(eq=False)
class RefreshInvalid(Unauthorized):
    """The refresh token is no token of ours, or its session has ended."""

    slug: ClassVar[str] = "refresh-invalid"
    title: ClassVar[str] = N_("Session ended")
    detail: ClassVar[str] = N_("The session has ended. Sign in again.")


@dataclass(eq=False)
class RefreshWasReused(Unauthorized):
    """A spent refresh token came back; its whole session is revoked."""

    slug: ClassVar[str] = "refresh-reused"
    title: ClassVar[str] = N_("Refresh token already used")
    detail: ClassVar[str] = N_(
        "This refresh token was used before. For your safety the session was ended. Sign in again."
    )


@dataclass(eq=False)
class RegistrationClosed(Forbidden):
    slug: ClassVar[str] = "registration-closed"
    title: ClassVar[str] = N_("Registration closed")
    detail: ClassVar[str] = N_("Ask an administrator for an account.")


@dataclass(eq=False)
class InvitationNeeded(Forbidden):
    slug: ClassVar[str] = "invitation-needed"
    title: ClassVar[str] = N_("Invitation needed")
    detail: ClassVar[str] = N_("Accounts are made by invitation. Ask an administrator for one.")


@dataclass(eq=False)
class EmailTaken(Conflict):
    slug: ClassVar[str] = "email-taken"
    title: ClassVar[str] = N_("E-mail address taken")
    detail: ClassVar[str] = N_("There is already an account with this e-mail address.")


@dataclass(eq=False)
class PasswordTooShort(Unprocessable):
    slug: ClassVar[str] = "password-too-short"
    title: ClassVar[str] = N_("Password too short")
    detail: ClassVar[str] = N_("The password needs at least {length_min} characters.")
    length_min: int


@dataclass(eq=False)
class PasswordTooLong(Unprocessable):
    slug: ClassVar[str] = "password-too-long"
    title: ClassVar[str] = N_("Password too long")
    detail: ClassVar[str] = N_("The password may have at most {length_max} characters.")
    length_max: int


@dataclass(eq=False)
class PasswordCommon(Unprocessable):
    slug: ClassVar[str] = "password-common"
    title: ClassVar[str] = N_("Password easy to guess")
    detail: ClassVar[str] = N_(
        "This password is among those that are tried first. Choose another, "
        "for instance several unrelated words."
    )


@dataclass(eq=False)
class UserNotFound(NotFound):
    slug: ClassVar[str] = "user-not-found"
    title: ClassVar[str] = N_("User not found")
    detail: ClassVar[str] = N_("There is no such user.")


@dataclass(eq=False)
class LastAdministrator(Conflict):
    """The change would leave the tenant without an administrator who can sign in."""

    slug: ClassVar[str] = "last-administrator"
    title: ClassVar[str] = N_("Last administrator")
    detail: ClassVar[str] = N_("At least one administrator must remain. Appoint another first.")


@dataclass(eq=False)
class TenantNotFound(NotFound):
    slug: ClassVar[str] = "tenant-not-found"
    title: ClassVar[str] = N_("Tenant not found")
    detail: ClassVar[str] = N_("There is no such tenant.")


@dataclass(eq=False)
class TenantSlugTaken(Conflict):
    slug: ClassVar[str] = "tenant-slug-taken"
    title: ClassVar[str] = N_("Tenant name taken")
    detail: ClassVar[str] = N_("There is already a tenant with this short name.")


@dataclass(eq=False)
class InvalidClient(Unauthorized):
    """The service is unknown or its secret wrong."""

    slug: ClassVar[str] = "invalid-client"
    title: ClassVar[str] = N_("Service not recognised")
    detail: ClassVar[str] = N_("The client id or the client secret is wrong.")
