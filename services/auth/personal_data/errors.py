"""Why a person is not erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, Problem
from shared.i18n import N_


@dataclass(eq=False)
class ErasureHeld(Problem):
    """A legal hold keeps what would be erased: `holds` names them. Have them lifted first."""

    status: ClassVar[int] = 423
    slug: ClassVar[str] = "erasure-held"
    title: ClassVar[str] = N_("Kept by a legal hold")
    detail: ClassVar[str] = N_(
        "A legal hold keeps what is known of this person. Have it lifted first, which takes two "
        "administrators: see /api/legal-holds."
    )
    holds: Sequence[str]


@dataclass(eq=False)
class OwnErasure(Conflict):
    """Nobody erases himself. Ask another administrator."""

    slug: ClassVar[str] = "own-erasure"
    title: ClassVar[str] = N_("Nobody erases himself")
    detail: ClassVar[str] = N_("This is your own account. Ask another administrator to erase it.")
