"""What the value report refuses, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Forbidden
from shared.i18n import N_


@dataclass(eq=False)
class ValuesForbidden(Forbidden):
    slug: ClassVar[str] = "values-forbidden"
    title: ClassVar[str] = N_("Not allowed to see values")
    detail: ClassVar[str] = N_(
        "What stock costs is for those with the scope price:write or audit:read. Ask an "
        "administrator for a role that has one of them."
    )
