"""What a freeze may cover."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.principal import Places

# Names the lock, one a tenant, that a freeze takes and every change holds shared. PostgreSQL gives
# it in turn, so a freeze has its own however many movements come.
FREEZES_LOCK = "current_setting('app.tenant') || ' freezes'"


class FreezeScope(StrEnum):
    """How much a freeze covers: all stock, a location with what lies in it, or an item."""

    EVERYTHING = "everything"
    LOCATION = "location"
    ITEM = "item"


class Notice(NamedTuple):
    """What is told of a freeze to whom it stops."""

    scope: FreezeScope
    reason: str
    since: datetime
    item: str | None = None  # Its code, if it covers an item.
    item_id: UUID | None = None
    location: str | None = None  # Its name, if it covers a location with what lies in it.
    location_id: UUID | None = None

    def as_known(self, places: Places) -> "Notice":
        """Return it without a location that who is stopped may not know of."""
        if places is None or self.location_id is None or self.location_id in places:
            return self
        return self._replace(location=None, location_id=None)
