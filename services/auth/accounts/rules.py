"""Who may register."""

from services.auth.errors import InvitationNeeded, RegistrationClosed
from services.auth.settings import RegistrationPolicy


def require_open(policy: RegistrationPolicy) -> None:
    """Raise RegistrationClosed or InvitationNeeded unless everybody may register."""
    match policy:
        case "closed":
            raise RegistrationClosed
        case "invite":
            raise InvitationNeeded
        case "open":
            return
