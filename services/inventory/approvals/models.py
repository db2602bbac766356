from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Numeric, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.inventory.approvals.rules import ApprovalKind, ApprovalState
from shared.db import Base
from shared.ids import new_id


class Approval(Base):
    """Something that is done once somebody else approves it.

    What is asked never changes: the service may update only what becomes of it.
    """

    __tablename__ = "approvals"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    cause: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)  # As the kind's executor reads it.
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[bytes | None] = mapped_column(LargeBinary)  # Sealed; None: no cost is known.
    subject_id: Mapped[UUID | None]  # What it hangs on: a count, a transfer, a movement or a kit.
    asked_hash: Mapped[bytes | None] = mapped_column(LargeBinary)  # Of two that ask the same, one.
    line_count: Mapped[int]
    requester_id: Mapped[UUID]  # The person, also where a key of his asked.
    requested_by: Mapped[str]  # The actor.
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    decider_id: Mapped[UUID | None]
    decided_by: Mapped[str | None]  # The actor; the worker of what expired.
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]  # Why it was rejected or withdrawn.
    stale_cause: Mapped[str | None]  # Of one that was stale before this was kept too.
    movements: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    version: Mapped[int]

    @property
    def is_open(self) -> bool:
        """Say whether nobody has decided yet; its time may be over."""
        return self.state == ApprovalState.OPEN

    @property
    def what(self) -> ApprovalKind:
        return ApprovalKind(self.kind)


class ApprovalLine(Base):
    """What one change of an approval does to one level, as judged when it was asked for."""

    __tablename__ = "approval_lines"

    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approvals.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    location_id: Mapped[UUID]
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot: Mapped[str | None]  # Its code, of one that is not there yet too.
    quantity: Mapped[Decimal]  # Signed, in stock units.
    on_hand: Mapped[Decimal]  # Before it.
    movement_kind: Mapped[str]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    reference: Mapped[str | None]
    occurred_at: Mapped[datetime]


class ApprovalLimits(Base):
    """What each role of a tenant may change alone, where its administrators have said so."""

    __tablename__ = "approval_limits"

    id: Mapped[int] = mapped_column(primary_key=True)  # Always 1: a tenant has one row.
    amounts: Mapped[dict[str, str | None]] = mapped_column(JSONB)  # By role; None: no limit.
    quantity_without_cost: Mapped[Decimal | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    version: Mapped[int]


class LimitUse(Base):
    """What a person changed alone of an item, gains less losses, in one call.

    Added by this feature's SQL, and forgotten by the worker once it counts no more.
    """

    __tablename__ = "approval_limit_uses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    item_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(Numeric(24, 4))  # Signed, in stock units.
    used_at: Mapped[datetime]
