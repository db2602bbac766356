"""Why a lost second factor is not taken away."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, Forbidden, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class RecoveryNotFound(NotFound):
    """There is no open request for this user: decided, withdrawn or ended after a day."""

    slug: ClassVar[str] = "recovery-not-found"
    title: ClassVar[str] = N_("No open request")
    detail: ClassVar[str] = N_(
        "No request to recover this user's second factor is open. Make one, and let another "
        "administrator approve it."
    )


@dataclass(eq=False)
class RecoveryPending(Conflict):
    """Somebody asked already. Let another administrator approve, or withdraw it first."""

    slug: ClassVar[str] = "recovery-pending"
    title: ClassVar[str] = N_("Request already open")
    detail: ClassVar[str] = N_(
        "A request for this user is open already. Approve it if somebody else made it, or "
        "withdraw it first."
    )


@dataclass(eq=False)
class NothingToRecover(Conflict):
    """The user has no second factor that could be lost."""

    slug: ClassVar[str] = "nothing-to-recover"
    title: ClassVar[str] = N_("No second factor")
    detail: ClassVar[str] = N_(
        "This user has no second factor. Let the user sign in with the password, and set one up."
    )


@dataclass(eq=False)
class OwnRecovery(Forbidden):
    """Nobody takes part in the recovery of an account of his own."""

    slug: ClassVar[str] = "own-recovery"
    title: ClassVar[str] = N_("Your own account")
    detail: ClassVar[str] = N_("You cannot recover your own account. Ask two other administrators.")


@dataclass(eq=False)
class SecondPersonNeeded(Forbidden):
    """Who asked cannot approve as well."""

    slug: ClassVar[str] = "second-person-needed"
    title: ClassVar[str] = N_("Second person needed")
    detail: ClassVar[str] = N_(
        "You made this request yourself. Another administrator must approve it."
    )


@dataclass(eq=False)
class AdministratorTooNew(Forbidden):
    """Who asks and who approves have both been administrators for some days, by default seven."""

    slug: ClassVar[str] = "administrator-too-new"
    title: ClassVar[str] = N_("Administrator for too short a time")
    detail: ClassVar[str] = N_(
        "You, or whoever made this request, became an administrator only lately. Let two who have "
        "been for longer do this, or wait some days."
    )


@dataclass(eq=False)
class RequesterGone(Conflict):
    """Whoever asked is no administrator any more. Withdraw the request and make another."""

    slug: ClassVar[str] = "requester-gone"
    title: ClassVar[str] = N_("Requester no longer an administrator")
    detail: ClassVar[str] = N_(
        "Whoever made this request is no administrator any more. Decline it and make another."
    )


@dataclass(eq=False)
class TenantsOwnAffair(Forbidden):
    """The tenant has administrators enough to do this by itself."""

    slug: ClassVar[str] = "tenants-own-affair"
    title: ClassVar[str] = N_("Affair of the tenant")
    detail: ClassVar[str] = N_(
        "This tenant has two other administrators. Ask them to recover the account."
    )
