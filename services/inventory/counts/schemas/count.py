"""A count: as it is opened, closed and told."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.counts.rules import LINES_MAX, CountState, Uncounted
from services.inventory.counts.schemas.proposals import CycleCreate
from shared.i18n import N_
from shared.money import DecimalText, QuantityOrZero
from shared.pagination import PageQuery
from shared.schemas import Input, Note, Output, Page, ShortText, refusal_of

PLACES_MAX, ITEMS_MAX = 50, 1000
_SCOPE_NEEDED = PydanticCustomError(
    "scope_needed", N_("Say what to count: locations, categories, items, or cycle.")
)


class CountCreate(Input):
    """What to count, and how. What is named together is counted where it meets."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Main warehouse, November",
                    "locations": ["Main warehouse"],
                    "blind": True,
                    "tolerance_percent": "2",
                }
            ]
        }
    )

    title: ShortText | None = Field(default=None, description="What people call it.")
    locations: Annotated[list[ShortText], Field(max_length=PLACES_MAX)] = Field(
        default=[],
        description="Ids or names of locations; all of them unless given.",
        examples=[["Main warehouse"]],
    )
    with_children: bool = Field(
        default=True, description="What lies in these locations is counted too."
    )
    categories: Annotated[list[ShortText], Field(max_length=PLACES_MAX)] = Field(
        default=[],
        description="Ids or names of categories, each with what lies in it; all items unless "
        "given.",
        examples=[["Pasta"]],
    )
    items: Annotated[list[ShortText], Field(max_length=ITEMS_MAX)] = Field(
        default=[],
        description="Ids, codes or barcodes of items; all unless given.",
        examples=[["SPAGHETTI-500"]],
    )
    cycle: CycleCreate | None = Field(
        default=None,
        description="Only what is due by the plan of cycle counts; see `/proposals`.",
        examples=[None],
    )
    blind: bool = Field(
        default=False,
        description="Whether counters see what is expected, and what others counted, only once "
        "it is closed. Who may post sees it all the time.",
    )
    tolerance_percent: QuantityOrZero | None = Field(
        default=None,
        description="A line that differs by more, in percent of what is expected, is to be counted "
        "twice. With tolerance_quantity the one that allows more counts.",
        examples=["2"],
    )
    tolerance_quantity: QuantityOrZero | None = Field(
        default=None, description="The same in stock units.", examples=["5"]
    )

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if not (self.locations or self.categories or self.items or self.cycle):
            raise refusal_of({"locations": _SCOPE_NEEDED})
        return self


class CountPostCreate(Input):
    """What is to become of lines that nobody counted, or that differ by more than is tolerated."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"uncounted": "keep"}]})

    uncounted: Uncounted = Field(
        default=Uncounted.REFUSE,
        description="Lines that nobody counted: `refuse` to post, `keep` their stock as it is, or "
        "set it to `zero` as of the last count at their location.",
    )
    accept_beyond_tolerance: bool = Field(
        default=False,
        description="Post lines beyond tolerance although they were counted once only.",
    )
    leave_out: Annotated[list[int], Field(max_length=LINES_MAX)] = Field(
        default=[], description="Numbers of lines that are not posted.", examples=[[]]
    )


class CountCancelCreate(Input):
    """Why a count is given up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Wrong aisle."}]})

    reason: Note | None = Field(default=None, examples=["Wrong aisle."])


class RecountCreate(Input):
    """Which lines are to be counted again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"beyond_tolerance": True}]})

    lines: Annotated[list[int], Field(max_length=LINES_MAX)] = Field(
        default=[], description="Numbers of lines that were counted.", examples=[[1]]
    )
    beyond_tolerance: bool = Field(default=False, description="All lines beyond tolerance.")
    disputed: bool = Field(default=False, description="All lines on which counters disagree.")
    same_counter: bool = Field(
        default=False, description="Whether who counted a line may count it again himself."
    )


class CountQuery(PageQuery):
    """Which counts to list; null means any."""

    state: CountState | None = Field(default=None, description="In this state only.")


class NamedRead(Output):
    """A location or category by its id, with its name."""

    id: UUID
    name: str


class NamedItemRead(Output):
    """An item by its id, with its code."""

    id: UUID
    code: str


class CountScopeRead(Output):
    """What a count covers; an empty list means all."""

    locations: list[NamedRead]
    with_children: bool
    categories: list[NamedRead]
    items: list[NamedItemRead]


class CountRead(Output):
    """A count of stock, with how far it is. Null is what counters are not to see yet."""

    id: UUID
    title: str | None = Field(examples=["Main warehouse, November"])
    state: CountState = Field(examples=["open"])
    scope: CountScopeRead
    blind: bool = Field(examples=[True])
    tolerance_percent: DecimalText | None = Field(examples=["2"])
    tolerance_quantity: DecimalText | None = Field(examples=[None])
    lines: int = Field(description="Lines in all.", examples=[120])
    counted: int = Field(description="Lines with a figure.", examples=[118])
    uncounted: int = Field(
        description="Lines of the list that nobody has counted yet.", examples=[2]
    )
    found: int = Field(description="Lines that were not on the list.", examples=[1])
    to_recount: int = Field(description="Lines to be counted again.", examples=[0])
    disputed: int | None = Field(description="Lines on which counters disagree.", examples=[0])
    differing: int | None = Field(description="Lines that differ.", examples=[4])
    beyond_tolerance: int | None = Field(
        description="Lines that differ by more than is tolerated.", examples=[1]
    )
    moved: int | None = Field(
        description="Lines whose stock has moved since the opening; that is accounted for.",
        examples=[3],
    )
    value_difference: DecimalText | None = Field(
        description="What the differences are worth, more less fewer, at unit costs of now. Null "
        "without a scope for prices.",
        examples=["-12.4"],
    )
    value_moved: DecimalText | None = Field(
        description="The same without signs: how much value is corrected.", examples=["30.1"]
    )
    opened_at: datetime
    opened_by: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    closed_at: datetime | None = Field(examples=[None])
    closed_by: str | None = Field(examples=[None])
    reason: str | None = Field(description="Why it was cancelled.", examples=[None])
    version: int


class CountSummaryRead(Output):
    """A count in the list of counts."""

    id: UUID
    title: str | None = Field(examples=["Main warehouse, November"])
    state: CountState = Field(examples=["open"])
    blind: bool = Field(examples=[True])
    lines: int = Field(examples=[120])
    counted: int = Field(examples=[118])
    opened_at: datetime
    opened_by: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    closed_at: datetime | None = Field(examples=[None])
    closed_by: str | None = Field(examples=[None])


class CountPage(Page[CountSummaryRead]): ...
