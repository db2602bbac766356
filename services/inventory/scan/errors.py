"""What is refused of what a scanner read, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class LabelUnreadable(Unprocessable):
    """A label says that it is of GS1 and breaks its rules. Scan it again, or type the code."""

    slug: ClassVar[str] = "label-unreadable"
    title: ClassVar[str] = N_("Label cannot be read")
    detail: ClassVar[str] = N_(
        "The label cannot be read from {part} on. Scan it again, or type the code of the item."
    )
    part: str


@dataclass(eq=False)
class CheckDigitWrong(Unprocessable):
    """A number on a label does not fit its check digit. Scan it again, or type the code."""

    slug: ClassVar[str] = "check-digit-wrong"
    title: ClassVar[str] = N_("Wrong check digit")
    detail: ClassVar[str] = N_(
        "This number has a wrong last digit: {number}. Scan it again, or type the code of the item."
    )
    number: str


@dataclass(eq=False)
class ScanAmbiguous(Conflict):
    """A text is a code of one item and a label of another. Look up the code that is meant."""

    slug: ClassVar[str] = "scan-ambiguous"
    title: ClassVar[str] = N_("Several items are meant")
    detail: ClassVar[str] = N_(
        "What was read may mean {candidates}. Look up the code of the one that is meant."
    )
    candidates: list[str]
