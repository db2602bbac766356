"""Why an account is not opened."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Forbidden
from shared.i18n import N_


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
