"""Why a service gets no token."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Forbidden, Unauthorized
from shared.i18n import N_


@dataclass(eq=False)
class InvalidClient(Unauthorized):
    """The service is unknown or its secret wrong."""

    slug: ClassVar[str] = "invalid-client"
    title: ClassVar[str] = N_("Service not recognised")
    detail: ClassVar[str] = N_(
        "The client id or the client secret is wrong. Give the service the secret that auth knows."
    )


@dataclass(eq=False)
class NothingToCall(Forbidden):
    """A service asks for a token for one that it has no business with."""

    slug: ClassVar[str] = "nothing-to-call"
    title: ClassVar[str] = N_("No call between these services")
    detail: ClassVar[str] = N_(
        "This service has nothing to call at {target}. Check the name that audience gives."
    )
    target: str
