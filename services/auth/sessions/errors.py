"""Why a sign-in or a refresh is refused."""

from dataclasses import dataclass
from typing import ClassVar

from services.auth.factors.errors import PasskeyRefused, TwoFactorCodeWrong, TwoFactorRequired
from services.auth.sessions.rules import Todo
from services.auth.throttle.errors import TooManySignIns
from shared.errors import Forbidden, NotFound, Unauthorized
from shared.i18n import N_


@dataclass(eq=False)
class InvalidCredentials(Unauthorized):
    """The address is unknown or the password wrong: never said which."""

    slug: ClassVar[str] = "invalid-credentials"
    title: ClassVar[str] = N_("Sign-in failed")
    detail: ClassVar[str] = N_(
        "The e-mail address or the password is wrong. Check both, and the tenant."
    )


@dataclass(eq=False)
class PasswordWrong(InvalidCredentials):
    """The same, told to somebody who is signed in: the address is not in question."""

    detail: ClassVar[str] = N_("The password is wrong. Check it, and send it again.")


@dataclass(eq=False)
class AccountLocked(Forbidden):
    """Told only to somebody who gave the right password."""

    slug: ClassVar[str] = "account-locked"
    title: ClassVar[str] = N_("Account locked")
    detail: ClassVar[str] = N_("This account is locked. Ask an administrator to unlock it.")


@dataclass(eq=False)
class AddressUnverified(Forbidden):
    """Told only to somebody who gave the right password."""

    slug: ClassVar[str] = "address-unverified"
    title: ClassVar[str] = N_("Address not verified")
    detail: ClassVar[str] = N_(
        "Your address is not verified yet. Follow the link in the mail that you got, "
        "or ask for another one at /api/auth/resend-verification."
    )


@dataclass(eq=False)
class ApprovalPending(Forbidden):
    """Told only to somebody who gave the right password."""

    slug: ClassVar[str] = "approval-pending"
    title: ClassVar[str] = N_("Waiting for approval")
    detail: ClassVar[str] = N_("An administrator must approve this account. Ask one to do so.")


@dataclass(eq=False)
class SessionOver(Unauthorized):
    """The session was ended meanwhile. Sign in again."""

    slug: ClassVar[str] = "session-over"
    title: ClassVar[str] = N_("Session ended")
    detail: ClassVar[str] = N_("The session has ended. Sign in again.")


@dataclass(eq=False)
class SessionNotFound(NotFound):
    """There is no such session of the caller's, or it is over. List those that go on."""

    slug: ClassVar[str] = "session-not-found"
    title: ClassVar[str] = N_("Session not found")
    detail: ClassVar[str] = N_(
        "You have no such session, or it is over. See /api/auth/sessions for those that go on."
    )


@dataclass(eq=False)
class RefreshInvalid(Unauthorized):
    """The refresh token is no token of ours, or its session has ended."""

    slug: ClassVar[str] = "refresh-invalid"
    title: ClassVar[str] = N_("Session ended")
    detail: ClassVar[str] = N_("The session has ended. Sign in again.")


@dataclass(eq=False)
class SignInIncomplete(Unauthorized):
    """More is asked of the user than at the sign-in: `todo` says what. Sign in again to do it."""

    slug: ClassVar[str] = "sign-in-incomplete"
    title: ClassVar[str] = N_("Sign in again")
    detail: ClassVar[str] = N_(
        "Before you go on you must set up a second factor or choose another password. Sign in "
        "again: the answer has a token for that."
    )
    todo: list[Todo]


@dataclass(eq=False)
class RefreshWasReused(Unauthorized):
    """A spent refresh token came back; its whole session is revoked."""

    slug: ClassVar[str] = "refresh-reused"
    title: ClassVar[str] = N_("Refresh token already used")
    detail: ClassVar[str] = N_(
        "This refresh token was used before. For your safety the session was ended. Sign in again."
    )


# Of whoever proves who he is, at sign-in or later.
PROOF_REFUSALS = (
    InvalidCredentials,
    AccountLocked,
    AddressUnverified,
    ApprovalPending,
    TooManySignIns,
    TwoFactorRequired,
    TwoFactorCodeWrong,
    PasskeyRefused,
)
