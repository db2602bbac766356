"""Which rights of one person belong into two hands, and what else a review of access asks about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DORMANT_AFTER: Final = timedelta(days=90)
APPROVERS_MIN: Final = 2  # Nobody approves what he asked for himself.

# Two rights in one hand, and what of the product keeps one from serving the other.
PAIRS: Final = {
    "requests_and_approves": (
        {"stock:write", "price:approve"},
        "Nobody approves what he or one of his keys asked for; the database refuses it too.",
    ),
    "administers_and_audits": (
        {"user:manage", "audit:read"},
        "The journal cannot be changed by any role; checkpoints kept elsewhere prove it.",
    ),
    "operates_and_moves": (
        {"ops:write", "stock:write"},
        "Freezes, periods and limits are journaled and ask for a fresh proof.",
    ),
}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Somebody whose access is looked at, by what decides."""

    id: str
    is_active: bool
    is_admin: bool
    scopes: frozenset[str]
    has_factor: bool
    last_used_at: datetime | None
    created_at: datetime
    granted_by: str | None  # As the journal names who gave the present role.
    key_scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AccessConflict:
    """Something that a reviewer must know; with a control of the product it is not open."""

    kind: str
    user_id: str | None  # None: it is about the tenant.
    control: str | None = None


def list_conflicts(people: Sequence[Reviewed], now: datetime) -> list[AccessConflict]:
    """Return what stands against these people's access, person by person, then of them all."""
    active = [person for person in people if person.is_active]
    found = [conflict for person in active for conflict in _conflicts_of(person, now)]
    if active and sum("price:approve" in person.scopes for person in active) < APPROVERS_MIN:
        found.append(AccessConflict("too_few_approvers", None))
    if active and sum(person.is_admin for person in active) < APPROVERS_MIN:
        found.append(AccessConflict("too_few_administrators", None))
    return found


def _conflicts_of(person: Reviewed, now: datetime) -> Iterator[AccessConflict]:
    for kind, (scopes, control) in PAIRS.items():
        if scopes <= person.scopes:
            yield AccessConflict(kind, person.id, control)
    if person.is_admin and not person.has_factor:
        yield AccessConflict(
            "administrator_without_factor", person.id, "He gets no session before he has one."
        )
    if person.granted_by == f"user:{person.id}":
        yield AccessConflict("role_given_to_himself", person.id)
    if (person.last_used_at or person.created_at) < now - DORMANT_AFTER:
        yield AccessConflict("dormant", person.id)
    if not person.key_scopes <= person.scopes:
        yield AccessConflict(
            "key_above_role", person.id, "A key does what its owner's role allows now, no more."
        )
