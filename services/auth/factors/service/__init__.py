"""A user's second factors: setting them up, checking them, taking them away."""

from services.auth.factors.service.codes import (
    begin_setup,
    check,
    confirm,
    replace_recovery_codes,
)
from services.auth.factors.service.passkeys import (
    add_passkey,
    ask_for_passkey,
    begin_passkey,
    check_passkey,
    get_passkey,
    list_passkeys,
    name_of,
    remove_passkey,
    rename_passkey,
    spend_challenge,
)
from services.auth.factors.service.state import (
    FactorState,
    disable,
    has_factor,
    kinds_of,
    remove_all,
    state_of,
)

__all__ = [
    "FactorState",
    "add_passkey",
    "ask_for_passkey",
    "begin_passkey",
    "begin_setup",
    "check",
    "check_passkey",
    "confirm",
    "disable",
    "get_passkey",
    "has_factor",
    "kinds_of",
    "list_passkeys",
    "name_of",
    "remove_all",
    "remove_passkey",
    "rename_passkey",
    "replace_recovery_codes",
    "spend_challenge",
    "state_of",
]
