from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.approvals.rules import (
    ApprovalCause,
    ApprovalKind,
    ApprovalState,
    StaleCause,
)
from services.inventory.ledger.rules import Kind, MovementReason
from shared.i18n import N_
from shared.money import Amount, DecimalText, QuantityOrZero
from shared.pagination import PageQuery
from shared.schemas import Input, Note, Output, Page, ShortText, refusal_of, unreadable_field

MovingRole = Literal["admin", "manager", "clerk"]  # Who may change stock at all.
_ROLE_TWICE = PydanticCustomError("role_twice", N_("A role is named twice. Name each once."))
_ACTOR = "user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"


class ApprovalReject(Input):
    """Why something is not approved."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Count it again before writing it off."}]}
    )

    reason: Note = Field(description="Why.", examples=["Count it again before writing it off."])


class ApprovalWithdraw(Input):
    """Why something is taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Found again."}]})

    reason: Note | None = Field(default=None, description="Why.", examples=["Found again."])


class ApprovalRead(Output):
    """Something that waits for somebody else's approval, or did."""

    id: UUID
    kind: ApprovalKind
    state: ApprovalState
    cause: ApprovalCause = Field(
        description="Why it needs approval: its own value; that of all that the same person "
        "changed of the item within a day; or so many units of an item without a cost."
    )
    value: DecimalText | None = Field(
        description="What all changes are worth, whichever way they go, at the unit costs in force "
        "when it was asked for; null if none is known, or without a scope for prices.",
        examples=["1250.00"],
    )
    line_count: int = Field(description="Changes of stock; read the approval to see them.")
    requested_by: str = Field(description="Who asked.", examples=[_ACTOR])
    opened_at: datetime
    expires_at: datetime = Field(description="From then on it is not approved any more.")
    decided_by: str | None = Field(
        description="Who approved, rejected or withdrew it, or found it stale; the worker, if it "
        "expired.",
        examples=[None],
    )
    decided_at: datetime | None = Field(examples=[None])
    reason: str | None = Field(description="Why it was rejected or withdrawn.", examples=[None])
    stale_cause: StaleCause | None = Field(
        description="Why it is stale: its stock was counted since; another quantity would move; it "
        "is worth more by a tenth; it is not what was asked; what it hangs on is over (a count "
        "posted or cancelled, a transfer received, a movement undone); or who asked has asked for "
        "something else of the same.",
        examples=[None],
    )
    movements: list[UUID] | None = Field(
        description="The movements by which it was done, once it is approved.", examples=[None]
    )
    version: int
    unreadable: list[Literal["value"]] = unreadable_field()


class ApprovalAwaitedRead(ApprovalRead):
    """What is answered in place of what was asked for, since that waits for somebody else.

    Sent again under the same Idempotency-Key it is the same answer, whatever has become of the
    approval; read that by its `id`, at the address of the header `Location`.
    """

    message: str = Field(
        description="What happens next, in the language of the answer.",
        examples=["Nothing has changed yet: somebody else has to approve it by 5 Dec 2026, 09:30."],
    )


class ApprovalLineRead(Output):
    """What one change does to the stock of an item at a location, of one lot or serial there."""

    line: int = Field(description="The place of the change in what was asked, from 0.")
    item: str = Field(description="Code of the item.")
    item_id: UUID
    location: str | None = Field(
        description="null: where a transfer lies on its way, for who is limited to other locations."
    )
    location_id: UUID | None
    lot: str | None = Field(
        description="The lot, of an item that has lots; one that it begins too.", examples=[None]
    )
    serial: str | None = Field(
        description="The unit, of an item with serial numbers.", examples=[None]
    )
    movement_kind: Kind
    change: DecimalText = Field(description="What it adds, signed.", examples=["-120"])
    on_hand: DecimalText | None = Field(
        description="What lay there when it was asked for; null where the location is."
    )
    reason_code: MovementReason | None
    reason: str | None
    reference: str | None
    occurred_at: datetime = Field(description="When it is to have happened.")


class ApprovalDetailRead(ApprovalRead):
    """An approval with what it does."""

    lines: list[ApprovalLineRead]


class ApprovalQuery(PageQuery):
    """Which approvals to list; null means any."""

    state: ApprovalState | None = Field(default=None, description="In this state only.")
    item: ShortText | None = Field(default=None, description="Id, code or barcode of an item.")
    location: ShortText | None = Field(default=None, description="Id or name of a location.")
    requested_by: Literal["me"] | None = Field(
        default=None, description="me: what I asked for, also by my keys."
    )


class ApprovalPage(Page[ApprovalRead]): ...


class RoleLimitUpdate(Input):
    """What a role may change alone."""

    role: MovingRole
    amount: Amount | None = Field(
        description="In the tenant's currency; null: any amount.", examples=["250"]
    )


class ApprovalLimitsUpdate(Input):
    """What each role may change alone; roles that are not named have the default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "limits": [
                        {"role": "clerk", "amount": "250"},
                        {"role": "manager", "amount": "2500"},
                    ],
                    "quantity_without_cost": "100",
                }
            ]
        }
    )

    limits: Annotated[list[RoleLimitUpdate], Field(max_length=3)]
    quantity_without_cost: QuantityOrZero | None = Field(
        default=None,
        description="Stock units of an item without a cost that anybody may change alone; null: "
        "any number.",
        examples=["100"],
    )

    @model_validator(mode="after")
    def _names_roles_once(self) -> Self:
        roles = [each.role for each in self.limits]
        if len(set(roles)) < len(roles):
            raise refusal_of({"limits": _ROLE_TWICE})
        return self


class RoleLimit(Output):
    """What a role may change alone; null: any amount."""

    role: MovingRole
    amount: DecimalText | None = Field(examples=["250"])


class ApprovalLimitsRead(Output):
    """What each role may change alone."""

    default: DecimalText = Field(
        description="Of roles that are not named; the installation's.", examples=["1000"]
    )
    limits: list[RoleLimit]
    quantity_without_cost: DecimalText | None = Field(
        description="Stock units of an item without a cost; null: any number.", examples=["100"]
    )
    version: int = Field(description="0 before they were ever set.")


# The answer of what may have to wait for somebody else, beside its own.
AWAITS_APPROVAL: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ApprovalAwaitedRead,
        "description": "It waits for somebody else's approval. The same Idempotency-Key gets this "
        "answer again; what has become of the approval is read at its address.",
        "headers": {
            "Location": {
                "description": "Where the approval is read. Not of a trial, which opens none.",
                "schema": {"type": "string"},
            }
        },
    }
}


def status_of(found: Output, *, done: int) -> int:
    """Return the status of the answer of what may have to wait: `done`, or that it waits."""
    return 202 if isinstance(found, ApprovalRead) else done


def location_of(found: Output) -> str | None:
    """Return where the approval is read that something waits for, if it does."""
    return f"/api/inventory/approvals/{found.id}" if isinstance(found, ApprovalRead) else None
