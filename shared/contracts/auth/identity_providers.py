"""What auth journals of companies' own identity providers."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.auth.users import AboutUser
from shared.journal import Entry


class AboutIdentityProvider(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("tenant", "tenant_id")
    tenant_id: UUID
    issuer: str


class IdentityProviderSet(AboutIdentityProvider):
    """Users of the tenant sign in by this provider too; its secret is in no entry."""

    name: ClassVar[str] = "auth.identity-provider-set.v1"
    client_id: str
    redirect_uri: str
    vouches_for_factor: bool


class IdentityProviderRemoved(AboutIdentityProvider):
    name: ClassVar[str] = "auth.identity-provider-removed.v1"


class IdentityLinked(AboutUser):
    """An identity at the provider is this user's from now on, by its verified address."""

    name: ClassVar[str] = "auth.identity-linked.v1"
    issuer: str


class ProvidedSignInFailed(AboutIdentityProvider):
    """Somebody came back from the provider and was not let in.

    `reason` is the code of the refusal that he got.
    """

    name: ClassVar[str] = "auth.provided-sign-in-failed.v1"
    reason: str
