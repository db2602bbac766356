from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from services.inventory.locations.rules import LocationType
from shared.identifiers import UniqueName
from shared.money import DecimalText, Quantity
from shared.pagination import PageQuery
from shared.schemas import BroughtBack, Input, Output, Page, ShortText, Update

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

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Main warehouse", "type": "warehouse"}]}
    )

    name: LocationName
    type: LocationType
    parent: ShortText | None = Field(
        default=None, description="Name or id of the one it lies in.", examples=["Main warehouse"]
    )
    capacity: Quantity | None = Field(default=None, description="Stock units it can hold.")


class LocationUpdate(Update):
    """A change of a location: the fields given are set, the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"capacity": "5000"}]})

    clearable: ClassVar[frozenset[str]] = frozenset({"capacity", "parent"})

    name: LocationName | None = None
    parent: ShortText | None = Field(
        default=None,
        description="Name or id of the one it lies in from now on, with all that lies in it. Null "
        "takes it out.",
    )
    capacity: Quantity | None = None
    active: BroughtBack | None = Field(default=None, description="Bring a retired one back.")


class LocationRead(Output):
    """A location, and what lies in it."""

    id: UUID
    name: str = Field(examples=["Main warehouse"])
    type: LocationType
    parent_id: UUID | None = Field(description="Null too where you may not know of it.")
    capacity: DecimalText | None
    used: DecimalText | None = Field(
        description="Stock units in it and in all that lies in it. Null in a list that was not "
        "asked `with_use`."
    )
    utilisation: DecimalText | None = Field(
        description="Percent of the capacity that is used, above 100 where it holds more. Null "
        "where either is."
    )
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class LocationQuery(PageQuery):
    """Which locations to list; null means any."""

    active: bool | None = Field(
        default=True, description="False: retired ones only. Active ones only unless given."
    )
    with_use: bool = Field(
        default=False, description="Tell how much lies in each; takes a look at all stock in them."
    )


class LocationPage(Page[LocationRead]): ...
