"""Why a password is not changed."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict
from shared.i18n import N_


@dataclass(eq=False)
class PasswordUnchanged(Conflict):
    """The new password is the one there is. Choose another one."""

    slug: ClassVar[str] = "password-unchanged"
    title: ClassVar[str] = N_("Password unchanged")
    detail: ClassVar[str] = N_("This is the password that you have now. Choose another one.")
