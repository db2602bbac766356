"""What is refused about kits."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class KitNotFound(NotFound):
    """The item is not made of others, or there is no such item."""

    slug: ClassVar[str] = "kit-not-found"
    title: ClassVar[str] = N_("Kit not found")
    detail: ClassVar[str] = N_("No kit has this id. Check it in the list of kits.")


@dataclass(eq=False)
class KitExists(Conflict):
    """It is said already what the item is made of. Replace that."""

    slug: ClassVar[str] = "kit-exists"
    title: ClassVar[str] = N_("Kit exists")
    detail: ClassVar[str] = N_("{item} is a kit already. Replace its components with PUT.")
    item: str


@dataclass(eq=False)
class KitInItself(Conflict):
    """A component is the kit, or is made of it."""

    slug: ClassVar[str] = "kit-in-itself"
    title: ClassVar[str] = N_("Kit made of itself")
    detail: ClassVar[str] = N_("{component} is {item} or made of it. Leave it out.")
    item: str
    component: str


@dataclass(eq=False)
class KitTooDeep(Conflict):
    """Kits would lie within kits on too many levels. Leave some of them out."""

    slug: ClassVar[str] = "kit-too-deep"
    title: ClassVar[str] = N_("Too many levels of kits")
    detail: ClassVar[str] = N_(
        "With {item} too many kits would lie within one another: at most {levels}. Name what the "
        "inner ones are made of instead."
    )
    item: str
    levels: int


@dataclass(eq=False)
class ComponentTwice(Unprocessable):
    """Two components are one item. Give their sum."""

    slug: ClassVar[str] = "component-twice"
    title: ClassVar[str] = N_("Component named twice")
    detail: ClassVar[str] = N_("{component} is named twice. Give all of it in one component.")
    component: str


@dataclass(eq=False)
class AssemblyInexact(Unprocessable):
    """So many kits take an amount of a component that stock cannot be kept in."""

    slug: ClassVar[str] = "assembly-inexact"
    title: ClassVar[str] = N_("Not exact in stock units")
    detail: ClassVar[str] = N_(
        "So many kits take an amount of {component} with more than four digits after the point. "
        "Choose another quantity than {quantity}."
    )
    component: str
    quantity: Decimal


@dataclass(eq=False)
class PickUnfit(Unprocessable):
    """Lots are picked of what is no component, or more of them than it takes."""

    slug: ClassVar[str] = "pick-unfit"
    title: ClassVar[str] = N_("Picks do not fit")
    detail: ClassVar[str] = N_(
        "The picks of {component} come to {picked}, and it takes {needed}. Pick so much or less."
    )
    component: str
    picked: Decimal
    needed: Decimal


@dataclass(eq=False)
class KitOutlastsComponents(Unprocessable):
    """The lot of the kits would expire after `limit`, the first that a component expires.

    Give that or an earlier day, or name another lot.
    """

    slug: ClassVar[str] = "kit-outlasts-components"
    title: ClassVar[str] = N_("Kits that outlast their components")
    detail: ClassVar[str] = N_(
        "A component expires on {limit}, the lot {lot} of {item} only later. Give that day or an "
        "earlier one, and another lot if it exists."
    )
    item: str
    lot: str
    limit: date


@dataclass(eq=False)
class AssemblyRefused(Conflict):
    """Some items cannot be moved, so none is; `results` name each with the reason."""

    slug: ClassVar[str] = "assembly-refused"
    title: ClassVar[str] = N_("Nothing was assembled")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{refused} item refuses. The results name it. Correct this, then send the request again.",
        "{refused} items refuse. The results name each. Correct these, then send the request "
        "again.",
    )
    counted: ClassVar[str] = "refused"
    refused: int
    results: list[dict[str, object]]  # item, code, message, available
