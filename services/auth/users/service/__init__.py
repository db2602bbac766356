"""Users: adding, reading and changing them."""

from services.auth.users.service.add import NewUser, add_user, register_user
from services.auth.users.service.address import change_email
from services.auth.users.service.arrive import (
    accept,
    approve,
    note_invited,
    reset_password,
    take_over,
    verify,
)
from services.auth.users.service.change import (
    change_profile,
    change_user,
    deactivate,
    end_sessions,
    lock_user,
    raise_token_version,
    reactivate,
    renew_hash,
    set_password,
    unlock_user,
)
from services.auth.users.service.read import (
    find_by_email,
    find_user,
    get_enrolling,
    get_user,
    has_administrator,
    has_ended_session,
    is_barred,
    list_users,
    scopes_in,
    status_in,
    to_read,
)
from services.auth.users.service.tell import tell

__all__ = [
    "NewUser",
    "accept",
    "add_user",
    "approve",
    "change_email",
    "change_profile",
    "change_user",
    "deactivate",
    "end_sessions",
    "find_by_email",
    "find_user",
    "get_enrolling",
    "get_user",
    "has_administrator",
    "has_ended_session",
    "is_barred",
    "list_users",
    "lock_user",
    "note_invited",
    "raise_token_version",
    "reactivate",
    "register_user",
    "renew_hash",
    "reset_password",
    "scopes_in",
    "set_password",
    "status_in",
    "take_over",
    "tell",
    "to_read",
    "unlock_user",
    "verify",
]
