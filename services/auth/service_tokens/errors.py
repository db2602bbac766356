"""Why a service gets no token."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Unauthorized
from shared.i18n import N_


@dataclass(eq=False)
class InvalidClient(Unauthorized):
    """The service is unknown or its secret wrong."""

    slug: ClassVar[str] = "invalid-client"
    title: ClassVar[str] = N_("Service not recognised")
    detail: ClassVar[str] = N_(
        "The client id or the client secret is wrong. Give the service the secret that auth knows."
    )
