"""What is refused of second factors."""

from dataclasses import dataclass
from typing import Any, ClassVar

from shared.errors import Conflict, Forbidden, NotFound, Unauthorized
from shared.i18n import N_


@dataclass(eq=False)
class TwoFactorRequired(Unauthorized):
    """The password is right and a second factor is missing.

    Send the same with `code`, or with `passkey`: what `navigator.credentials.get` gave for the
    options in the member `passkey`.
    """

    slug: ClassVar[str] = "two-factor-required"
    title: ClassVar[str] = N_("Code needed")
    detail: ClassVar[str] = N_(
        "Send the code of your authenticator, a recovery code, or what your passkey signed, "
        "together with the password."
    )
    methods: list[str]
    passkey: dict[str, Any] | None = None


@dataclass(eq=False)
class TwoFactorCodeWrong(Unauthorized):
    """The code is wrong, too old, or was used before. Send the next one that is shown."""

    slug: ClassVar[str] = "two-factor-code-wrong"
    title: ClassVar[str] = N_("Code not accepted")
    detail: ClassVar[str] = N_(
        "The code is wrong, has ended or was used before. Wait for the next one and send that."
    )


@dataclass(eq=False)
class PasskeyRefused(Unauthorized):
    """What the passkey signed does not count: another page, account or challenge, or too late."""

    slug: ClassVar[str] = "passkey-refused"
    title: ClassVar[str] = N_("Passkey not accepted")
    detail: ClassVar[str] = N_(
        "The passkey was not accepted: it took too long, was used before, or does not belong "
        "here. Begin again, with new options."
    )


@dataclass(eq=False)
class PasskeyNotFound(NotFound):
    """There is no such passkey of the caller's. See /api/auth/passkeys."""

    slug: ClassVar[str] = "passkey-not-found"
    title: ClassVar[str] = N_("Passkey not found")
    detail: ClassVar[str] = N_("You have no such passkey. See /api/auth/passkeys for yours.")


@dataclass(eq=False)
class PasskeyLimit(Conflict):
    """The account has as many passkeys as it can have. Remove one first."""

    slug: ClassVar[str] = "passkey-limit"
    title: ClassVar[str] = N_("Too many passkeys")
    detail: ClassVar[str] = N_(
        "Your account has as many passkeys as it can have. Remove one first."
    )
    maximum: int


@dataclass(eq=False)
class PasskeyKnown(Conflict):
    """The passkey is registered already. Use another authenticator."""

    slug: ClassVar[str] = "passkey-known"
    title: ClassVar[str] = N_("Passkey already registered")
    detail: ClassVar[str] = N_("This passkey is registered already. Use another authenticator.")


@dataclass(eq=False)
class PasskeysUnavailable(Conflict):
    """The installation does not say which pages may use passkeys: WEBAUTHN_ORIGINS."""

    slug: ClassVar[str] = "passkeys-unavailable"
    title: ClassVar[str] = N_("Passkeys not available")
    detail: ClassVar[str] = N_(
        "Passkeys are not set up here. Use an authenticator, or ask the operator to set "
        "WEBAUTHN_ORIGINS."
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
