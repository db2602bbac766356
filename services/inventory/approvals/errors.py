"""What is refused about approvals."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.inventory.approvals.rules import ApprovalState, StaleCause
from shared.errors import Conflict, Forbidden, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class ApprovalNotFound(NotFound):
    """No approval of this id at locations that the caller may use."""

    slug: ClassVar[str] = "approval-not-found"
    title: ClassVar[str] = N_("Approval not found")
    detail: ClassVar[str] = N_(
        "There is no approval {approval} whose locations you may all use. Check the id in the "
        "list of approvals."
    )
    approval: str


@dataclass(eq=False)
class ApprovalClosed(Conflict):
    """It was decided before; `state` says how."""

    slug: ClassVar[str] = "approval-closed"
    title: ClassVar[str] = N_("Decided before")
    detail: ClassVar[str] = N_(
        "This approval is not open any more. Read it to see what became of it; what is still "
        "needed is asked for anew."
    )
    state: ApprovalState


@dataclass(eq=False)
class ApprovalExpired(Conflict):
    """Nobody decided in time."""

    slug: ClassVar[str] = "approval-expired"
    title: ClassVar[str] = N_("Approval expired")
    detail: ClassVar[str] = N_(
        "Nobody approved it until {expired_at}. Ask anew for what is still needed."
    )
    expired_at: datetime


@dataclass(eq=False)
class ApprovalStale(Conflict):
    """What it was based on has changed; `cause` says what. Nothing was done, and it is closed."""

    slug: ClassVar[str] = "approval-stale"
    title: ClassVar[str] = N_("Overtaken by events")
    detail: ClassVar[str] = N_(
        "Stock or costs have changed since this was asked for, in a way that matters. Nothing was "
        "done. Look at the stock, then ask anew for what is still needed."
    )
    cause: StaleCause


@dataclass(eq=False)
class OwnApproval(Forbidden):
    """Four eyes: who asked does not decide, also where he asked by an API key."""

    slug: ClassVar[str] = "own-approval"
    title: ClassVar[str] = N_("Not by who asked")
    detail: ClassVar[str] = N_(
        "You asked for this yourself, so somebody else decides. You can withdraw it."
    )


@dataclass(eq=False)
class NotYourApproval(Forbidden):
    """Only who asked takes it back."""

    slug: ClassVar[str] = "not-your-approval"
    title: ClassVar[str] = N_("Only by who asked")
    detail: ClassVar[str] = N_(
        "Somebody else asked for this, and nobody but the asker withdraws it. Reject it instead."
    )


@dataclass(eq=False)
class ApprovalNeeded(Conflict):
    """The line is worth more than the caller may change alone, in a call that changes more."""

    slug: ClassVar[str] = "approval-needed"
    title: ClassVar[str] = N_("Approval needed")
    detail: ClassVar[str] = N_(
        "This is worth more than you may change alone. Send it in a call of its own, where it "
        "waits for approval, or in an atomic call of write-offs, adjustments, counts and returns "
        "alone."
    )
