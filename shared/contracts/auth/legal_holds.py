"""What auth journals of legal holds."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry


class AboutLegalHold(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("legal-hold", "hold_id")
    hold_id: UUID


class LegalHoldPlaced(Entry):
    """Retention removes nothing of this any more; null: of every kind, from or to any day."""

    name: ClassVar[str] = "auth.legal-hold-placed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("legal-hold", "id")
    id: UUID
    kind: str | None
    first_day: date | None
    last_day: date | None
    reason: str
    placed_by: UUID


class LegalHoldLiftAsked(AboutLegalHold):
    """An administrator wants it lifted, which another must approve."""

    name: ClassVar[str] = "auth.legal-hold-lift-asked.v1"
    asked_by: UUID
    reason: str


class LegalHoldLiftEnded(AboutLegalHold):
    """Withdrawn by who asked, or declined by another: it stays in force."""

    name: ClassVar[str] = "auth.legal-hold-lift-ended.v1"
    asked_by: UUID
    ended_by: UUID
    outcome: Literal["withdrawn", "declined"]


class LegalHoldRemoved(AboutLegalHold):
    """Another administrator approved: it is no longer in force."""

    name: ClassVar[str] = "auth.legal-hold-lifted.v1"
    asked_by: UUID
    approved_by: UUID
