"""Keys for machines: how one is written, and what it may never do."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

KEYS_MAX: Final = 50  # Of one user, those that still work.
LIFETIME_DEFAULT: Final = timedelta(days=90)
LIFETIME_MAX: Final = timedelta(days=366)
PREFIX: Final = "ik_"  # Of the text of a key.
ROLE: Final = "machine"  # In the token, whatever the owner's role is.

# For people alone, with a second factor and fresh proofs: running an installation, rights, consent.
NEVER: Final = frozenset({"user:manage", "tenant:manage", "ops:write", "price:approve"})


def grantable(scopes: Iterable[str]) -> frozenset[str]:
    """Return those of a user's scopes that a key of his may have."""
    return frozenset(scopes) - NEVER
