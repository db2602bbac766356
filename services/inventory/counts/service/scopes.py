"""What a count covers: as it was asked for, and which stock that is now."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.counts import queries
from services.inventory.counts.queries import Covered
from services.inventory.locations.service import list_within
from shared.principal import Places


@dataclass(frozen=True, slots=True)
class Scope:
    """What a count covers, as it was asked for; nothing named means all."""

    locations: tuple[UUID, ...] = ()
    with_children: bool = True
    categories: tuple[UUID, ...] = ()
    items: tuple[UUID, ...] = ()

    def stored(self) -> dict[str, Any]:
        """Return it as it is kept beside the count."""
        return {
            "locations": [str(each) for each in self.locations],
            "with_children": self.with_children,
            "categories": [str(each) for each in self.categories],
            "items": [str(each) for each in self.items],
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Scope":
        """Return what was kept."""
        return cls(
            tuple(UUID(each) for each in stored["locations"]),
            stored["with_children"],
            tuple(UUID(each) for each in stored["categories"]),
            tuple(UUID(each) for each in stored["items"]),
        )


async def bounds_of(session: AsyncSession, scope: Scope, places: Places) -> Covered:
    """Return what the scope covers of the places now."""
    named: set[UUID] = set(scope.locations)
    if scope.with_children:
        for location_id in scope.locations:
            named |= await list_within(session, location_id)
    covered = frozenset(named) if scope.locations else None
    if covered is not None and places is not None:
        covered &= places
    categories = None
    if scope.categories:
        categories = await queries.list_categories_within(session, scope.categories)
    return Covered(
        places=places if covered is None else covered,
        categories=categories,
        items=frozenset(scope.items) if scope.items else None,
    )
