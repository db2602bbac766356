"""Who asks: the verified caller of a request."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias
from uuid import UUID

MACHINE = "key"  # In `methods`: an API key, and nobody before a screen.


Places: TypeAlias = frozenset[UUID] | None  # Ids of locations; None: all there are.


class Device(NamedTuple):
    """The address that a request came from, and what its program calls itself."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Principal:
    """A person (or machine) of one tenant, as the access token says it."""

    id: UUID
    tenant_id: UUID
    session_id: UUID
    role: str
    scopes: frozenset[str]
    language: str | None = None
    methods: tuple[str, ...] = ()  # How the caller proved who it is, as in the token's `amr`.
    proved_at: int = 0  # When last, in Unix seconds.
    todo: tuple[str, ...] = ()  # What must be done before the sign-in is finished.
    token_version: int = 0  # Of the caller's account when the token was made.
    locations: Places = None  # That the caller is limited to, with all that lies in them.

    @property
    def actor(self) -> str:
        """Return the name under which the journal knows this caller: a user, or a user's key."""
        return actor_of(self.id, self.session_id, self.methods)

    def may(self, scope: str) -> bool:
        return scope in self.scopes


def actor_of(user_id: UUID, session_id: UUID, methods: Collection[str]) -> str:
    """Return the journal's name for a user, or for a key of a user's, whose id is its session's."""
    return f"key:{session_id}" if MACHINE in methods else f"user:{user_id}"
