"""What to count next: cycle counts by the class of an item, and when it was counted last."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from services.inventory.counts.rules import LINES_MAX, AbcClass
from shared.pagination import PageQuery
from shared.schemas import Input, Output, Page, ShortText

DAYS_MAX = 3660
WINDOW, A_DAYS, B_DAYS, C_DAYS = 90, 30, 90, 180


class CycleCreate(Input):
    """A cycle count: of what a count covers, the lines that are most overdue."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lines_max": 50}]})

    lines_max: int = Field(default=200, ge=1, le=LINES_MAX, description="So many lines at most.")
    window_days: int = Field(
        default=WINDOW, ge=1, le=DAYS_MAX, description="Days whose issues make the classes."
    )
    a_days: int = Field(
        default=A_DAYS, ge=1, le=DAYS_MAX, description="Days after which items of class A are due."
    )
    b_days: int = Field(default=B_DAYS, ge=1, le=DAYS_MAX, description="The same of class B.")
    c_days: int = Field(default=C_DAYS, ge=1, le=DAYS_MAX, description="The same of class C.")


class ProposalQuery(PageQuery):
    """What to propose counts of; null means any."""

    location: ShortText | None = Field(
        default=None, description="Id or name of a location, with what lies in it."
    )
    category: ShortText | None = Field(
        default=None, description="Id or name of a category, with what lies in it."
    )
    due: bool | None = Field(default=None, description="Only what is due, or only what is not.")
    window_days: int = Field(
        default=WINDOW, ge=1, le=DAYS_MAX, description="Days whose issues make the classes."
    )
    a_days: int = Field(
        default=A_DAYS, ge=1, le=DAYS_MAX, description="Days after which items of class A are due."
    )
    b_days: int = Field(default=B_DAYS, ge=1, le=DAYS_MAX, description="The same of class B.")
    c_days: int = Field(default=C_DAYS, ge=1, le=DAYS_MAX, description="The same of class C.")


class ProposalRead(Output):
    """Stock of an item at a place, and when it is to be counted."""

    item: str = Field(description="Code of the item.")
    item_id: UUID
    location: str
    location_id: UUID
    lot: str | None
    abc_class: AbcClass = Field(examples=["A"])
    last_counted_at: datetime | None = Field(
        description="When it was counted last, by a count or a count correction."
    )
    due_at: datetime | None = Field(description="Null: never counted, so due at once.")
    due: bool = Field(examples=[True])


class ProposalPage(Page[ProposalRead]):
    """What to count next, and what the classes are made by."""

    classified_by: Literal["value", "quantity"] = Field(
        description="What was issued in the window, by its value at unit costs of now; by its "
        "quantity where no cost is known.",
        examples=["value"],
    )
