"""What is refused about serials."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import NotFound
from shared.i18n import N_


@dataclass(eq=False)
class SerialNotFound(NotFound):
    """No item has this serial, or none that was at locations that the caller may use."""

    slug: ClassVar[str] = "serial-not-found"
    title: ClassVar[str] = N_("Serial number not found")
    detail: ClassVar[str] = N_(
        "There is no serial number {serial} here. Check it in the list of the item's serials; one "
        "is begun by a movement that brings it."
    )
    serial: str
