"""What is refused of keys for machines."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized
from shared.i18n import N_, NP_


@dataclass(eq=False)
class ApiKeyInvalid(Unauthorized):
    """Told to the gateway alone: no key of ours, over, or its owner is locked or deactivated."""

    slug: ClassVar[str] = "api-key-invalid"
    title: ClassVar[str] = N_("API key not valid")
    detail: ClassVar[str] = N_("The API key is unknown, revoked or has expired. Use another one.")


@dataclass(eq=False)
class ApiKeyNotFound(NotFound):
    """There is no such key of this user's, or it has ended. List those that work."""

    slug: ClassVar[str] = "api-key-not-found"
    title: ClassVar[str] = N_("API key not found")
    detail: ClassVar[str] = N_(
        "There is no such API key, or it has ended. List the keys to see those that work."
    )


@dataclass(eq=False)
class ScopesNotGrantable(Forbidden):
    """A key can do nothing that its owner cannot, and not all that he can. Leave these out."""

    slug: ClassVar[str] = "scopes-not-grantable"
    title: ClassVar[str] = N_("Rights not grantable")
    detail: ClassVar[str] = N_(
        "A key cannot have these rights: you lack them, or they are for people alone. "
        "Leave out those that scopes names."
    )
    scopes: list[str]


@dataclass(eq=False)
class ApiKeyExpiry(BadRequest):
    """A key ends between now and a year from now. Give another time."""

    slug: ClassVar[str] = "api-key-expiry"
    title: ClassVar[str] = N_("Expiry not possible")
    detail: ClassVar[str] = N_("A key must end in the future, within a year. Give another time.")


@dataclass(eq=False)
class TooManyApiKeys(Conflict):
    """The caller has as many keys as one may. Revoke one that is not needed any more."""

    slug: ClassVar[str] = "too-many-api-keys"
    title: ClassVar[str] = N_("Too many API keys")
    detail: ClassVar[tuple[str, str]] = NP_(
        "You have {limit} API key, which is the limit. Revoke one first.",
        "You have {limit} API keys, which is the limit. Revoke one first.",
    )
    counted: ClassVar[str] = "limit"
    limit: int
