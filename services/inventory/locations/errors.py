"""What is refused about locations, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class LocationNotFound(NotFound):
    """No location that the caller may use has this id or name. Have it added."""

    slug: ClassVar[str] = "location-not-found"
    title: ClassVar[str] = N_("Location not found")
    detail: ClassVar[str] = N_(
        "There is no location {location} that you may use. Check the name, or have it added."
    )
    location: str


@dataclass(eq=False)
class LocationNameTaken(Conflict):
    """Another location has this name, case and width apart. Choose another one."""

    slug: ClassVar[str] = "location-name-taken"
    title: ClassVar[str] = N_("Name already used")
    detail: ClassVar[str] = N_("Another location is called {location}. Choose another name.")
    location: str


@dataclass(eq=False)
class LocationInUse(Conflict):
    """A location with stock, or with others in use inside it, is not retired. Empty it first."""

    slug: ClassVar[str] = "location-in-use"
    title: ClassVar[str] = N_("Location in use")
    detail: ClassVar[str] = N_(
        "There is stock in {location}, or another location that is in use. Move the stock away "
        "and retire what lies inside first."
    )
    location: str


@dataclass(eq=False)
class LocationRetired(Conflict):
    """Nothing comes to or goes from a retired location. Bring it back with `active: true` first."""

    slug: ClassVar[str] = "location-retired"
    title: ClassVar[str] = N_("Location retired")
    detail: ClassVar[str] = N_(
        "The location {location} is retired. Bring it back with active: true first, or choose "
        "another one."
    )
    location: str


@dataclass(eq=False)
class LocationMisplaced(Unprocessable):
    """A location of this type cannot lie there. Choose a fitting parent, or none."""

    slug: ClassVar[str] = "location-misplaced"
    title: ClassVar[str] = N_("Does not fit there")
    detail: ClassVar[str] = N_(
        "A zone lies in a warehouse, a bin in a zone or warehouse, a warehouse in nothing. "
        "Give a parent that fits."
    )
