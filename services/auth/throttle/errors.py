"""Why an attempt is not looked at."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import TooManyRequests
from shared.i18n import N_, NP_


@dataclass(eq=False)
class TooManySignIns(TooManyRequests):
    """Too many attempts on one account, whether it exists or not, or from one network. Wait."""

    slug: ClassVar[str] = "sign-in-throttled"
    title: ClassVar[str] = N_("Too many attempts")
    detail: ClassVar[tuple[str, str]] = NP_(
        "There were too many attempts to sign in. Try again in {retry_after_s} second.",
        "There were too many attempts to sign in. Try again in {retry_after_s} seconds.",
    )
    counted: ClassVar[str] = "retry_after_s"
