"""What is refused of users."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class EmailTaken(Conflict):
    slug: ClassVar[str] = "email-taken"
    title: ClassVar[str] = N_("E-mail address taken")
    detail: ClassVar[str] = N_(
        "There is already an account with this e-mail address. Use that one, or give another "
        "address."
    )


@dataclass(eq=False)
class UserNotFound(NotFound):
    slug: ClassVar[str] = "user-not-found"
    title: ClassVar[str] = N_("User not found")
    detail: ClassVar[str] = N_("There is no such user. See /api/users for those there are.")


@dataclass(eq=False)
class AccountClosed(Conflict):
    """The account is deactivated. Reactivate it first."""

    slug: ClassVar[str] = "account-closed"
    title: ClassVar[str] = N_("Account closed")
    detail: ClassVar[str] = N_("This account is deactivated. Reactivate it first.")


@dataclass(eq=False)
class AccountErased(Conflict):
    """The person was erased. Nothing of the account comes back; add a user where one is needed."""

    slug: ClassVar[str] = "account-erased"
    title: ClassVar[str] = N_("Person erased")
    detail: ClassVar[str] = N_(
        "This person was erased, and nothing of the account comes back. Add a new user instead."
    )


@dataclass(eq=False)
class AdministratorUnlimited(Conflict):
    """Administrators manage what all locations share. Lift the limits first, or give no role."""

    slug: ClassVar[str] = "administrator-unlimited"
    title: ClassVar[str] = N_("Administrators have no limits")
    detail: ClassVar[str] = N_(
        "An administrator cannot be limited to some locations. Give all locations, or another role."
    )


@dataclass(eq=False)
class LastAdministrator(Conflict):
    """The change would leave the tenant without an administrator who can sign in."""

    slug: ClassVar[str] = "last-administrator"
    title: ClassVar[str] = N_("Last administrator")
    detail: ClassVar[str] = N_("At least one administrator must remain. Appoint another first.")
