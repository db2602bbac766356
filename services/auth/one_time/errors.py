"""Why a token that came by mail is not taken."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import BadRequest
from shared.i18n import N_


@dataclass(eq=False)
class OneTimeTokenInvalid(BadRequest):
    """It is none of ours, was used, has ended, or another one came after it. Ask for a new one."""

    slug: ClassVar[str] = "token-invalid"
    title: ClassVar[str] = N_("Link no longer valid")
    detail: ClassVar[str] = N_(
        "This link or code is not valid: it was used, has ended, or a newer one was sent. "
        "Ask for a new one."
    )
