"""What inventory journals of approvals."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry

APPROVAL_VALUE_COLUMN = "inventory.approvals.value"  # The place that sealed values are bound to.


class ApprovalOpened(Entry):
    """Somebody asked for what is worth more than he may change alone; nothing was changed yet."""

    name: ClassVar[str] = "inventory.approval-opened.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval", "approval_id")
    approval_id: UUID
    kind: str
    cause: str  # value, day or unknown_cost.
    line_count: int  # Changes of stock.
    content_hash: str  # SHA-256 in hexadecimal digits, of what was asked.
    value_sealed: str | None  # Base64; opens at place(APPROVAL_VALUE_COLUMN, tenant, approval_id).
    requester_id: UUID
    expires_at: datetime


class ApprovalApproved(Entry):
    """Somebody else agreed, and it was done by these movements."""

    name: ClassVar[str] = "inventory.approval-approved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval", "approval_id")
    approval_id: UUID
    content_hash: str
    requester_id: UUID
    movements: list[UUID]


class ApprovalRejected(Entry):
    """Somebody else refused."""

    name: ClassVar[str] = "inventory.approval-rejected.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval", "approval_id")
    approval_id: UUID
    requester_id: UUID
    note: str


class ApprovalWithdrawn(Entry):
    """Who asked took it back."""

    name: ClassVar[str] = "inventory.approval-withdrawn.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval", "approval_id")
    approval_id: UUID
    note: str | None


class ApprovalOvertaken(Entry):
    """What it was based on had changed, or was over; nothing was done."""

    name: ClassVar[str] = "inventory.approval-overtaken.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval", "approval_id")
    approval_id: UUID
    cause: str  # counted, quantity, value, content, over or replaced.


class ApprovalLapsed(Entry):
    """Nobody decided in time."""

    name: ClassVar[str] = "inventory.approval-lapsed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval", "approval_id")
    approval_id: UUID


class ApprovalLimitsSet(Entry):
    """What each role may change alone was set; null is no limit."""

    name: ClassVar[str] = "inventory.approval-limits-set.v1"
    subject_of: ClassVar[tuple[str, str]] = ("approval_limits", "version")
    amounts_before: dict[str, str | None]
    amounts: dict[str, str | None]
    quantity_without_cost: Decimal | None
    version: int
