"""What consumption refuses, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class ItemNotFound(NotFound):
    slug: ClassVar[str] = "item-not-found"
    title: ClassVar[str] = N_("Item not found")
    detail: ClassVar[str] = N_(
        "There is no item {item}. Check the code; of an item just added, ask again in a moment."
    )
    item: str


@dataclass(eq=False)
class InvalidWindow(Unprocessable):
    slug: ClassVar[str] = "invalid-window"
    title: ClassVar[str] = N_("Invalid window of days")
    detail: ClassVar[tuple[str, str]] = NP_(
        "Give a first day not after the last, and at most {days_max} day.",
        "Give a first day not after the last, and at most {days_max} days.",
    )
    counted: ClassVar[str] = "days_max"
    days_max: int
