"""What inventory journals of locations."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class LocationSaved(Entry):
    """A location as it stands after it was added, changed or retired."""

    name: ClassVar[str] = "inventory.location-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("location", "location_id")
    location_id: UUID
    location_name: str
    type: str
    parent_id: UUID | None
    capacity: Decimal | None
    active: bool = True  # Entries of the releases before do not say.


class LocationRemoved(Entry):
    """An empty location that was taken away."""

    name: ClassVar[str] = "inventory.location-removed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("location", "location_id")
    location_id: UUID
    location_name: str
