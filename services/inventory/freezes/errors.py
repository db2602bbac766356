"""What a freeze refuses, and what is refused about freezes."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from services.inventory.freezes.rules import FreezeScope, Notice
from shared.errors import Conflict, NotFound, Problem
from shared.i18n import N_, translate
from shared.principal import Places


@dataclass(eq=False)
class Frozen(Problem):
    """An administrator froze what this would change. Reads go on; wait until it is lifted.

    `scope` says how much is frozen, `item` or `location` which; null where there is none of that
    kind, or where you may not know of the location, inside of which yours lies.
    """

    status: ClassVar[int] = 423
    slug: ClassVar[str] = "frozen"
    title: ClassVar[str] = N_("Frozen")
    detail: ClassVar[str] = N_(
        "Wait until the freeze is lifted, or ask an administrator. Nothing changes here since "
        "{since}: {reason}"
    )
    scope: str
    item: str | None
    item_id: UUID | None
    location: str | None
    location_id: UUID | None
    reason: str
    since: datetime

    @classmethod
    def by(cls, notice: Notice, places: Places = None, **more: object) -> Self:
        """Return what who is stopped is told, of places that he may know of."""
        told = notice.as_known(places)._asdict()
        return cls(**told | more | {"scope": notice.scope.value})

    def detail_in(self, language: str) -> str:
        """Return the detail, which names what is frozen."""
        names = {"item": self.item, "location": self.location}
        is_named = self.scope == FreezeScope.EVERYTHING or names[self.scope] is not None
        text = _DETAILS[FreezeScope(self.scope)] if is_named else self.detail
        return translate(text, language, **names, since=self.since, reason=self.reason)


_DETAILS = {
    FreezeScope.EVERYTHING: N_(
        "Wait until the freeze is lifted, or ask an administrator. All stock is frozen since "
        "{since}: {reason}"
    ),
    FreezeScope.LOCATION: N_(
        "Wait until the freeze is lifted, or ask an administrator. The location {location} is "
        "frozen, with all that lies in it, since {since}: {reason}"
    ),
    FreezeScope.ITEM: N_(
        "Wait until the freeze is lifted, or ask an administrator. The item {item} is frozen since "
        "{since}: {reason}"
    ),
}


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
    """No freeze has this id, or none that is in force and could be lifted."""

    slug: ClassVar[str] = "freeze-not-found"
    title: ClassVar[str] = N_("Freeze not found")
    detail: ClassVar[str] = N_(
        "There is no freeze with this id, or it was lifted already. List those in force, or with "
        "active=false those that were lifted."
    )
