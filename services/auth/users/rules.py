"""Roles and what each may do; addresses; what a change of a user entails."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

import idna

from shared.i18n import N_
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

ERASED_NAME: Final = N_("Erased person")  # Who an id stands for that is kept in ledger and journal.
ROLE_OF_THE_REGISTERED: Role = "viewer"
LOCATIONS_MAX = 50  # That a user is limited to: with all else they fit into an access token.
EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets.
_LOCAL_LENGTH_MAX = 64

_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+")
_ASCII_LABEL = re.compile(r"(?!xn--)[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


def scopes_of(role: Role, *, in_default_tenant: bool) -> frozenset[str]:
    """Return what a role may do; administrators of the default tenant manage tenants too."""
    scopes = SCOPES[role]
    return scopes | {PLATFORM_SCOPE} if role == "admin" and in_default_tenant else scopes


def may_be_limited(role: Role) -> bool:
    """Say whether who has this role can be limited to some locations: who manages all sees all."""
    return role != "admin"


def is_email(text: str) -> bool:
    """Say whether the text has the form of an e-mail address: something a mail could go to."""
    local, _, domain = text.rpartition("@")
    return (
        len(text) <= EMAIL_LENGTH_MAX
        and len(local) <= _LOCAL_LENGTH_MAX
        and bool(_LOCAL.fullmatch(local))
        and all(map(is_visible, local))
        and not any(part == "" for part in local.split("."))
        and "." in domain
        and _find_ascii_domain(domain) is not None
    )


def lookup_form(text: str) -> str:
    """Return the form in which addresses are compared, so that each is one mailbox's.

    Capitals count as small letters, in both parts; the domain stands as it does in the DNS
    (A-labels, RFC 5890), however it was written. Nothing else is alike: `ß` is not `ss`, nor a wide
    letter a narrow one. What is no address has its small letters only.
    """
    local, at, domain = text.rpartition("@")
    found = _find_ascii_domain(domain) if at else None
    return f"{_small(local)}{at}{found or _small(domain)}"


def _small(text: str) -> str:
    """Return the text composed (NFC) and in small letters, each letter by itself."""
    letters = "".join(map(str.lower, unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", letters)


def _find_ascii_domain(domain: str) -> str | None:
    """Return the domain as the DNS knows it; None if it is none by IDNA 2008 (RFC 5891)."""
    try:
        labels = [
            label if _ASCII_LABEL.fullmatch(label) else idna.alabel(label).decode()
            for label in _small(domain).split(".")
        ]
    except idna.IDNAError:
        return None
    found = ".".join(labels)
    return found if len(found) <= EMAIL_LENGTH_MAX else None


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
