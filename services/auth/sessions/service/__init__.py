"""Sessions: signing in, proving oneself anew, refreshing, signing out, forgetting what ended."""

from services.auth.sessions.service.device import open_device
from services.auth.sessions.service.own import (
    list_sessions,
    revoke_other_sessions,
    revoke_session,
    revoke_sessions_begun_by,
)
from services.auth.sessions.service.password_changed import go_on_after_password_change
from services.auth.sessions.service.proof import (
    Account,
    check_factor,
    check_password,
    hold_verified,
    prove,
)
from services.auth.sessions.service.refresh import refresh
from services.auth.sessions.service.sign_in import sign_in
from services.auth.sessions.service.sign_out import sign_out
from services.auth.sessions.service.standing import require_standing
from services.auth.sessions.service.start import finish_sign_in, go_on_with_factor
from services.auth.sessions.service.step_up import find_own_account, step_up
from services.auth.sessions.service.upkeep import end_everywhere, forget_ended, measure_active

__all__ = [
    "Account",
    "check_factor",
    "check_password",
    "end_everywhere",
    "find_own_account",
    "finish_sign_in",
    "forget_ended",
    "go_on_after_password_change",
    "go_on_with_factor",
    "hold_verified",
    "list_sessions",
    "measure_active",
    "open_device",
    "prove",
    "refresh",
    "require_standing",
    "revoke_other_sessions",
    "revoke_session",
    "revoke_sessions_begun_by",
    "sign_in",
    "sign_out",
    "step_up",
]
