"""What a freeze may cover."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

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
