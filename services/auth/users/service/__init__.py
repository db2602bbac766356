"""Users: adding, reading and changing them."""

from services.auth.users.service.add import NewUser, add_user, register_user
from services.auth.users.service.change import (
    change_profile,
    change_user,
    end_sessions,
    lock_user,
    raise_token_version,
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
    list_users,
    scopes_in,
    to_read,
)

__all__ = [
    "NewUser",
    "add_user",
    "change_profile",
    "change_user",
    "end_sessions",
    "find_by_email",
    "find_user",
    "get_enrolling",
    "get_user",
    "has_administrator",
    "has_ended_session",
    "list_users",
    "lock_user",
    "raise_token_version",
    "register_user",
    "renew_hash",
    "scopes_in",
    "set_password",
    "to_read",
    "unlock_user",
]
