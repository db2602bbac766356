"""What a freeze refuses, and what is refused about freezes."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.inventory.freezes.rules import Notice
from shared.errors import Conflict, NotFound, Problem
from shared.i18n import N_


@dataclass(eq=False)
class Frozen(Problem):
    """An administrator froze what this would change. Reads go on; wait until it is lifted."""

    status: ClassVar[int] = 423
    slug: ClassVar[str] = "frozen"
    title: ClassVar[str] = N_("Frozen")
    detail: ClassVar[str] = N_(
        "Wait until the freeze is lifted, or ask an administrator. Nothing changes here since "
        "{since}: {reason}"
    )
    scope: str
    reason: str
    since: datetime

    @classmethod
    def by(cls, notice: Notice) -> "Frozen":
        return cls(scope=notice.scope.value, reason=notice.reason, since=notice.since)


@dataclass(eq=False)
class AlreadyFrozen(Conflict):
    """The same is frozen already. Lift that freeze first to give another reason."""

    slug: ClassVar[str] = "already-frozen"
    title: ClassVar[str] = N_("Already frozen")
    detail: ClassVar[str] = N_(
        "The same is frozen already. To give another reason, lift that freeze first."
    )


@dataclass(eq=False)
class NothingToFreeze(NotFound):
    """No item or location has this id, code or name."""

    slug: ClassVar[str] = "nothing-to-freeze"
    title: ClassVar[str] = N_("Nothing to freeze")
    detail: ClassVar[str] = N_(
        "There is no {target} to freeze. Check the code, the name or the id, and the scope."
    )
    target: str


@dataclass(eq=False)
class FreezeNotFound(NotFound):
    """No freeze that is in force has this id."""

    slug: ClassVar[str] = "freeze-not-found"
    title: ClassVar[str] = N_("Freeze not found")
    detail: ClassVar[str] = N_(
        "No freeze in force has this id: it may be lifted already. List those that are in force."
    )
