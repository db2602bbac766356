"""Roles and what each may do; addresses; what a change of a user entails."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from shared.identifiers import is_visible

Language: TypeAlias = Literal["en", "fr"]
SealedField: TypeAlias = Literal["email", "name"]
Status: TypeAlias = Literal["invited", "unverified", "pending", "active", "locked", "deactivated"]
Act: TypeAlias = Literal[
    "sign_in", "verify", "accept", "reset", "approve", "withdraw", "lock", "unlock", "recover",
]  # fmt: skip
Role: TypeAlias = Literal["admin", "manager", "clerk", "viewer", "auditor"]
Scope: TypeAlias = Literal[
    "inventory:read", "inventory:write", "stock:write", "price:write", "price:approve",
    "supplier:read", "supplier:write", "order:write", "forecast:read", "forecast:train",
    "report:read", "user:manage", "user:provision", "audit:read", "ops:read", "ops:write",
]  # fmt: skip

ROLES: tuple[Role, ...] = get_args(Role)
ALL_SCOPES: frozenset[str] = frozenset(get_args(Scope))
PLATFORM_SCOPE = "tenant:manage"  # Administrators of the default tenant alone.

SCOPES: Mapping[Role, frozenset[str]] = {
    "admin": ALL_SCOPES,
    "manager": ALL_SCOPES
    - {"user:manage", "user:provision", "audit:read", "ops:read", "ops:write"},
    "clerk": frozenset({"inventory:read", "stock:write", "forecast:read"}),
    "viewer": frozenset({"inventory:read", "forecast:read", "report:read"}),
    "auditor": frozenset(
        {"inventory:read", "supplier:read", "forecast:read", "report:read", "audit:read",
         "ops:read"}
    ),
}  # fmt: skip

# In which states of an account each act is possible; all others are possible in each.
ACTS: Mapping[Act, frozenset[Status]] = {
    "sign_in": frozenset({"active"}),
    "verify": frozenset({"unverified"}),
    "accept": frozenset({"invited"}),
    "reset": frozenset({"active"}),
    "approve": frozenset({"pending"}),
    "withdraw": frozenset({"invited"}),
    "lock": frozenset(get_args(Status)) - {"deactivated"},
    "unlock": frozenset(get_args(Status)) - {"deactivated"},
    "recover": frozenset(get_args(Status)) - {"deactivated"},
}

ROLE_OF_THE_REGISTERED: Role = "viewer"
LOCATIONS_MAX = 50  # That a user is limited to: with all else they fit into an access token.
EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets.
_LOCAL_LENGTH_MAX = 64

_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def scopes_of(role: Role, *, in_default_tenant: bool) -> frozenset[str]:
    """Return what a role may do; administrators of the default tenant manage tenants too."""
    scopes = SCOPES[role]
    return scopes | {PLATFORM_SCOPE} if role == "admin" and in_default_tenant else scopes


def may_be_limited(role: Role) -> bool:
    """Say whether who has this role can be limited to some locations: who manages all sees all."""
    return role != "admin"


def is_email(text: str) -> bool:
    """Say whether the text has the form of an e-mail address: something a mail could go to."""
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    return (
        bool(at)
        and len(text) <= EMAIL_LENGTH_MAX
        and len(local) <= _LOCAL_LENGTH_MAX
        and bool(_LOCAL.fullmatch(local))
        and all(map(is_visible, local))
        and not any(part == "" for part in local.split("."))
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
    )


def lookup_form(email: str) -> str:
    """Return the form in which addresses are compared: case and width do not tell them apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold())


def ends_administration(*, role: Role, status: Status, new_role: Role, will_bar: bool) -> bool:
    """Say whether a change takes away an administrator who could sign in."""
    could = role == "admin" and status == "active"
    return could and (new_role != "admin" or will_bar)


def status_of(
    *, is_verified: bool, is_approved: bool, is_locked: bool, is_deactivated: bool
) -> Status:
    """Return where an account stands: who is approved and never verified was invited."""
    if is_deactivated:
        return "deactivated"
    if is_locked:
        return "locked"
    if not is_verified:
        return "invited" if is_approved else "unverified"
    return "active" if is_approved else "pending"


def is_session_over(
    started_at: datetime, *, is_barred: bool, sessions_ended_at: datetime | None
) -> bool:
    """Say whether a lock or an end of all sessions ended the one that started at this moment."""
    return is_barred or (sessions_ended_at is not None and started_at < sessions_ended_at)
