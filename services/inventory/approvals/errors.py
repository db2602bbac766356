"""What is refused about approvals."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.inventory.approvals.rules import ApprovalState, StaleCause
from shared.errors import Conflict, Forbidden, NotFound
from shared.i18n import N_, translate


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
    title: ClassVar[str] = N_("Not valid any more")
    detail: ClassVar[str] = N_(
        "What this was based on has changed since it was asked for. Nothing was done. Look at the "
        "stock, then ask anew for what is still needed."
    )
    cause: StaleCause

    def detail_in(self, language: str) -> str:
        """Return the detail, which begins with the reason."""
        return f"{translate(_STALE[self.cause], language)} {translate(_ASK_ANEW, language)}"


_STALE = {
    StaleCause.COUNTED: N_("Stock that this touches was counted since it was asked for."),
    StaleCause.QUANTITY: N_("This would move another quantity than when it was asked for."),
    StaleCause.VALUE: N_("This is worth a tenth more than when it was asked for, or more yet."),
    StaleCause.CONTENT: N_("What was asked for is not the same any more."),
    StaleCause.OVER: N_("What this belongs to is closed by now."),
    StaleCause.REPLACED: N_("Something else was asked for in its place."),
}
_ASK_ANEW = N_("Nothing was done. Look at the stock, then ask anew for what is still needed.")


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
