from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.schemas import Output


class AsOf(Output):
    """How old figures are, and whether anything is missing from them."""

    as_of: datetime | None = Field(
        description="When the newest entry of inventory's journal counted here was recorded; null "
        "before the first."
    )
    lag_s: float | None = Field(
        description="Age in seconds of inventory's oldest entry not yet counted here, of whichever "
        "tenant; 0: all are. Null: inventory does not answer, so nobody can tell."
    )
    behind: int | None = Field(
        description="How many entries of inventory's journal are not yet counted here, at most; "
        "null as `lag_s`."
    )
    incomplete: bool = Field(
        description="An entry about this tenant could not be counted (operators see which), or "
        "all are being counted anew: more will be here once they are."
    )


class FreshnessRead(Output):
    """How far the figures follow one service's journal."""

    producer: str = Field(examples=["inventory"])
    status: Literal["current", "behind", "unknown"] = Field(
        description="unknown: the service does not answer, so nobody can tell."
    )
    lag_seconds: float | None = Field(description="Age of the oldest entry not yet counted here.")
    applied_at: datetime | None = Field(description="When entries were last counted here.")
