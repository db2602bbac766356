from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.locations.rules import LocationType
from shared.i18n import N_
from shared.money import DecimalText, Quantity
from shared.schemas import Input, Output, Page, ShortText

LocationName = Annotated[
    ShortText,
    StringConstraints(max_length=100, pattern=r"^[^/?#%\\]+$"),
    Field(description="Unique; no slashes.", examples=["Main warehouse"]),
]


class LocationCreate(Input):
    """A new location."""

    name: LocationName
    type: LocationType
    parent: LocationName | None = Field(default=None, description="Name of the one it lies in.")
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


class LocationPage(Page[LocationRead]): ...
