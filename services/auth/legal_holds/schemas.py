from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.auth.legal_holds.rules import REASON_LENGTH_MAX, HoldKind
from shared.i18n import N_
from shared.schemas import Input, Output, Page


class LegalHoldCreate(Input):
    kind: HoldKind | None = Field(
        default=None,
        description="Only this: entries of journals, stock movements, or costs and prices. Left "
        "out: everything.",
        examples=["movements"],
    )
    first_day: date | None = Field(
        default=None, description="Only what happened on this day (UTC) or later.",
        examples=["2019-01-01"],
    )  # fmt: skip
    last_day: date | None = Field(
        default=None, description="Only what happened on this day or before.",
        examples=["2019-12-31"],
    )  # fmt: skip
    reason: str = Field(
        min_length=1, max_length=REASON_LENGTH_MAX, examples=["Proceedings 4711 before the court."]
    )

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise PydanticCustomError("days_backwards", N_("The last day is before the first."))
        return self


class LiftAsk(Input):
    reason: str = Field(
        min_length=1, max_length=REASON_LENGTH_MAX, examples=["The proceedings are over."]
    )


class LegalHoldRead(Output):
    """What retention does not remove, whatever its age."""

    id: UUID
    kind: HoldKind | None = Field(description="null: everything.", examples=["movements"])
    first_day: date | None = Field(examples=["2019-01-01"])
    last_day: date | None = Field(examples=["2019-12-31"])
    reason: str = Field(examples=["Proceedings 4711 before the court."])
    placed_by: UUID
    placed_at: datetime
    lift_reason: str | None = Field(examples=[None])
    lift_asked_by: UUID | None = Field(
        description="Who asked to lift it, and cannot approve.", examples=[None]
    )
    lift_asked_at: datetime | None = Field(examples=[None])
    lifted_by: UUID | None = Field(description="Who approved.", examples=[None])
    lifted_at: datetime | None = Field(description="null: it is in force.", examples=[None])


class LegalHoldPage(Page[LegalHoldRead]):
    """Legal holds, those that were lifted too, the oldest first."""
