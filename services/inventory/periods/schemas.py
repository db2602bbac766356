from datetime import date, datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.pagination import PageQuery
from shared.schemas import Input, Note, Output, Page


class PeriodClose(Input):
    """Until which day nothing is recorded any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"last_day": "2026-01-31"}]})

    last_day: date = Field(
        description="The last day of the period, in UTC; it is over.", examples=["2026-01-31"]
    )
    note: Note | None = Field(default=None, description="What to keep of it.")


class PeriodReopen(Input):
    """Why a period is opened again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "An invoice of January came late."}]}
    )

    reason: Note = Field(description="Why.", examples=["An invoice of January came late."])


class PeriodRead(Output):
    """A period that was closed: the days since the one before it, until its last day."""

    id: UUID
    last_day: date = Field(examples=["2026-01-31"])
    open_from: datetime = Field(
        description="The earliest time that a movement may have while it is closed.",
        examples=["2026-02-01T00:00:00Z"],
    )
    closed_at: datetime
    closed_by: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    note: str | None = Field(examples=[None])
    reopened_at: datetime | None = Field(description="Null while it is closed.", examples=[None])
    reopened_by: str | None = Field(examples=[None])
    reason: str | None = Field(description="Why it was reopened.", examples=[None])


class PeriodQuery(PageQuery):
    """Which periods to list; null means any."""

    closed: bool | None = Field(
        default=True, description="False: reopened ones only. Closed ones only unless given."
    )


class PeriodPage(Page[PeriodRead]): ...
