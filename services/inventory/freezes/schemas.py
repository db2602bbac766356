from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.freezes.rules import FreezeScope
from shared.i18n import N_
from shared.pagination import PageQuery
from shared.schemas import Input, Note, Output, Page, ShortText, refusal_of

_TARGET_MISSING = PydanticCustomError(
    "target_of_freeze", N_("Say what to freeze: the item or the location that the scope names.")
)
_TARGET_ASTRAY = PydanticCustomError(
    "target_of_freeze", N_("A freeze of another scope has none. Leave it out.")
)


class FreezeCreate(Input):
    """What to freeze, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scope": "location",
                    "location": "Main warehouse",
                    "reason": "Stocktaking until Monday.",
                }
            ]
        }
    )

    scope: FreezeScope = Field(
        description="`everything`, a `location` with all that lies in it, or an `item`."
    )
    item: ShortText | None = Field(default=None, description="Id, code or barcode of the item.")
    location: ShortText | None = Field(default=None, description="Id or name of the location.")
    reason: Note = Field(
        description="Why; told to everybody whose change is refused.",
        examples=["Stocktaking until Monday."],
    )

    @model_validator(mode="after")
    def _names_its_target(self) -> Self:
        faults = {}
        for scope, given in ((FreezeScope.ITEM, self.item), (FreezeScope.LOCATION, self.location)):
            if (self.scope is scope) is (given is None):
                faults[scope.value] = _TARGET_MISSING if given is None else _TARGET_ASTRAY
        if faults:
            raise refusal_of(faults)
        return self


class FreezeRead(Output):
    """A freeze: what it covers, why, and when it was lifted."""

    id: UUID
    scope: FreezeScope
    item: str | None = Field(description="Code of the item that it covers.", examples=[None])
    item_id: UUID | None = Field(examples=[None])
    location: str | None = Field(
        description="The location that it covers, with all that lies in it.",
        examples=["Main warehouse"],
    )
    location_id: UUID | None
    reason: str = Field(examples=["Stocktaking until Monday."])
    frozen_at: datetime
    frozen_by: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    lifted_at: datetime | None = Field(
        description="Null while it is in force.", examples=["2026-01-31T12:00:00Z"]
    )
    lifted_by: str | None = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    note: str | None = Field(
        description="What was said when it was lifted.", examples=["All counted."]
    )


class FreezeQuery(PageQuery):
    """Which freezes to list; null means any."""

    active: bool | None = Field(
        default=True, description="False: lifted ones only. Those in force only unless given."
    )


class FreezePage(Page[FreezeRead]): ...
