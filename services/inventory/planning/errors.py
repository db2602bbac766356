"""What is refused about planning, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import NotFound
from shared.i18n import N_


@dataclass(eq=False)
class PlanningNotFound(NotFound):
    """The item has no values of its own at the location: those of the item hold there."""

    slug: ClassVar[str] = "planning-not-found"
    title: ClassVar[str] = N_("Nothing planned there")
    detail: ClassVar[str] = N_(
        "The item has no values of its own at that location, where the item's hold. Put some first."
    )
