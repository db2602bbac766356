"""What is refused of second factors."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, Forbidden, Unauthorized
from shared.i18n import N_


@dataclass(eq=False)
class TwoFactorRequired(Unauthorized):
    """The password is right and a code is missing. Send the same with `code`."""

    slug: ClassVar[str] = "two-factor-required"
    title: ClassVar[str] = N_("Code needed")
    detail: ClassVar[str] = N_(
        "Send the code of your authenticator, or a recovery code, together with the password."
    )
    methods: list[str]


@dataclass(eq=False)
class TwoFactorCodeWrong(Unauthorized):
    """The code is wrong, too old, or was used before. Send the next one that is shown."""

    slug: ClassVar[str] = "two-factor-code-wrong"
    title: ClassVar[str] = N_("Code not accepted")
    detail: ClassVar[str] = N_(
        "The code is wrong, has ended or was used before. Wait for the next one and send that."
    )


@dataclass(eq=False)
class TwoFactorNotSetUp(Conflict):
    """There is no authenticator, or none that waits for its first code. Begin with the setup."""

    slug: ClassVar[str] = "two-factor-not-set-up"
    title: ClassVar[str] = N_("Second factor not set up")
    detail: ClassVar[str] = N_("No authenticator is set up. Begin at /api/auth/2fa/setup.")


@dataclass(eq=False)
class TwoFactorCompulsory(Forbidden):
    """The role or the tenant demands a second factor. It can be replaced, not given up."""

    slug: ClassVar[str] = "two-factor-compulsory"
    title: ClassVar[str] = N_("Second factor is compulsory")
    detail: ClassVar[str] = N_(
        "Your role needs a second factor. You can set up another one, but not go without."
    )
