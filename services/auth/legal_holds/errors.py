"""Why a legal hold is not placed or lifted."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, Forbidden, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class LegalHoldNotFound(NotFound):
    """There is no such hold in this tenant."""

    slug: ClassVar[str] = "legal-hold-not-found"
    title: ClassVar[str] = N_("No such legal hold")
    detail: ClassVar[str] = N_("There is no such legal hold. List the holds to find its id.")


@dataclass(eq=False)
class LegalHoldLifted(Conflict):
    """The hold was lifted already. Place another one where it is needed again."""

    slug: ClassVar[str] = "legal-hold-lifted"
    title: ClassVar[str] = N_("Legal hold lifted already")
    detail: ClassVar[str] = N_(
        "This legal hold was lifted already. Place another one if it is needed again."
    )


@dataclass(eq=False)
class LiftPending(Conflict):
    """Somebody asked already to lift it. Let another administrator approve, or end that first."""

    slug: ClassVar[str] = "lift-pending"
    title: ClassVar[str] = N_("Request already open")
    detail: ClassVar[str] = N_(
        "Somebody asked already to lift this legal hold. Approve that if it was somebody else, or "
        "end it first."
    )


@dataclass(eq=False)
class LiftNotAsked(Conflict):
    """Nobody asked to lift it. Ask first, and let another administrator approve."""

    slug: ClassVar[str] = "lift-not-asked"
    title: ClassVar[str] = N_("Nobody asked to lift it")
    detail: ClassVar[str] = N_(
        "Nobody asked to lift this legal hold. Ask, and let another administrator approve."
    )


@dataclass(eq=False)
class AnotherMustApprove(Forbidden):
    """Who asked to lift a hold cannot approve it as well."""

    slug: ClassVar[str] = "another-must-approve"
    title: ClassVar[str] = N_("Second person needed")
    detail: ClassVar[str] = N_(
        "You asked to lift this legal hold yourself. Another administrator must approve it."
    )
