"""What is refused of companies' own providers, and of who comes by one."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from shared.i18n import N_


@dataclass(eq=False)
class NoIdentityProvider(NotFound):
    """Told of tenants that have none and of those that are not there."""

    slug: ClassVar[str] = "no-identity-provider"
    title: ClassVar[str] = N_("No identity provider")
    detail: ClassVar[str] = N_(
        "This tenant has no identity provider. Sign in with your password, or check the tenant."
    )


@dataclass(eq=False)
class IdentityProviderNotUsable(BadRequest):
    slug: ClassVar[str] = "identity-provider-not-usable"
    title: ClassVar[str] = N_("Identity provider not usable")
    detail: ClassVar[str] = N_(
        "This issuer does not answer, or cannot be used. Give the https address that its own "
        "document names as issuer, and that is not in a private network."
    )


@dataclass(eq=False)
class RedirectNotUsable(BadRequest):
    """No browser is sent there: it is no https address, or has a fragment. Give your page's."""

    slug: ClassVar[str] = "redirect-not-usable"
    title: ClassVar[str] = N_("Page not usable")
    detail: ClassVar[str] = N_(
        "The redirect_uri cannot be used. Give the https address of the page of your frontend that "
        "finishes the sign-in."
    )


@dataclass(eq=False)
class IdentityProviderAway(Unavailable):
    slug: ClassVar[str] = "identity-provider-away"
    title: ClassVar[str] = N_("Identity provider away")
    detail: ClassVar[str] = N_(
        "The identity provider does not answer. Begin to sign in again in a moment, or sign in "
        "with your password."
    )


@dataclass(eq=False)
class ProvidedSignInInvalid(BadRequest):
    """Its state is none of ours, was used, has ended, or was begun in another browser."""

    slug: ClassVar[str] = "provided-sign-in-invalid"
    title: ClassVar[str] = N_("Sign-in no longer valid")
    detail: ClassVar[str] = N_(
        "This sign-in was finished, has ended, or was begun elsewhere. Begin again."
    )


@dataclass(eq=False)
class IdentityNotProved(Forbidden):
    """What came from the provider does not fit this sign-in."""

    slug: ClassVar[str] = "identity-not-proved"
    title: ClassVar[str] = N_("Identity not proved")
    detail: ClassVar[str] = N_(
        "The identity provider did not prove who you are. Begin again; if that fails too, tell "
        "an administrator."
    )


@dataclass(eq=False)
class AddressNotVouched(Forbidden):
    """Accounts are linked by verified addresses alone."""

    slug: ClassVar[str] = "address-not-vouched"
    title: ClassVar[str] = N_("Address not verified by the provider")
    detail: ClassVar[str] = N_(
        "The identity provider does not say that your e-mail address is verified. Have it "
        "verified there, then sign in again."
    )


@dataclass(eq=False)
class NoAccountHere(Forbidden):
    """There is no account of this address that may be used, and none may be opened."""

    slug: ClassVar[str] = "no-account-here"
    title: ClassVar[str] = N_("No account")
    detail: ClassVar[str] = N_(
        "You have no account here that you may use. Ask an administrator for one."
    )


@dataclass(eq=False)
class IdentityTaken(Conflict):
    """The account of this address belongs to another identity at the provider."""

    slug: ClassVar[str] = "identity-taken"
    title: ClassVar[str] = N_("Account of another identity")
    detail: ClassVar[str] = N_(
        "The account with your address belongs to another identity at the provider. Ask an "
        "administrator."
    )
