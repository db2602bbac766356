"""Who asks: the verified caller of a request."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Principal:
    """A person (or machine) of one tenant, as the access token says it."""

    id: UUID
    tenant_id: UUID
    session_id: UUID
    role: str
    scopes: frozenset[str]
    language: str | None = None

    @property
    def actor(self) -> str:
        """Return the name under which the journal knows this caller."""
        return f"user:{self.id}"

    def may(self, scope: str) -> bool:
        return scope in self.scopes
