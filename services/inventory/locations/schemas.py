from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.locations.rules import LocationType
from shared.i18n import N_
from shared.identifiers import UniqueName
from shared.money import DecimalText, Quantity
from shared.pagination import PageQuery
from shared.schemas import Input, Output, Page, ShortText

LocationName = Annotated[
    UniqueName,
    Field(
        description="Unique: 1 to 100 visible characters, shown as typed. Letter case, width and "
        "runs of spaces make no difference. Not in the form of an id.",
        examples=["Main warehouse"],
    ),
]


class LocationCreate(Input):
    """A new location."""

    name: LocationName
    type: LocationType
    parent: ShortText | None = Field(
        default=None, description="Name or id of the one it lies in.", examples=["Main warehouse"]
    )
    capacity: Quantity | None = Field(default=None, description="Stock units it can hold.")


class LocationUpdate(Input):
    """A change of a location: the fields given are set, the others stay."""

    name: LocationName | None = None
    capacity: Quantity | None = None

    @model_validator(mode="after")
    def _keeps_a_name(self) -> Self:
        if "name" in self.model_fields_set and self.name is None:
            raise PydanticCustomError("cannot_be_empty", N_("This cannot be left empty."))
        return self


class LocationRead(Output):
    id: UUID
    name: str
    type: LocationType
    parent_id: UUID | None
    capacity: DecimalText | None
    version: int
    created_at: datetime
    updated_at: datetime


class LocationQuery(PageQuery):
    """Which locations to list."""


class LocationPage(Page[LocationRead]): ...
