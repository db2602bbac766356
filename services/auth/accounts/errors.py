"""Why an account is not opened."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, Forbidden
from shared.i18n import N_


@dataclass(eq=False)
class RegistrationClosed(Forbidden):
    """Nobody registers in this installation. Ask an administrator for an account."""

    slug: ClassVar[str] = "registration-closed"
    title: ClassVar[str] = N_("Registration closed")
    detail: ClassVar[str] = N_("Ask an administrator for an account.")


@dataclass(eq=False)
class InvitationNeeded(Forbidden):
    """Accounts are made by invitation in this installation. Ask an administrator for one."""

    slug: ClassVar[str] = "invitation-needed"
    title: ClassVar[str] = N_("Invitation needed")
    detail: ClassVar[str] = N_("Accounts are made by invitation. Ask an administrator for one.")


@dataclass(eq=False)
class NotInvited(Conflict):
    """The account is no open invitation: it was accepted or withdrawn. See the users."""

    slug: ClassVar[str] = "not-invited"
    title: ClassVar[str] = N_("No open invitation")
    detail: ClassVar[str] = N_("This invitation was accepted or withdrawn. See /api/users.")


@dataclass(eq=False)
class NotPending(Conflict):
    """The account waits for no approval. See the users."""

    slug: ClassVar[str] = "not-pending"
    title: ClassVar[str] = N_("Nothing to approve")
    detail: ClassVar[str] = N_("This account does not wait for approval. See /api/users.")
