"""Opening a count: what it covers, and the list of what is to be counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.categories.service import get_named_category
from services.inventory.counts import queries
from services.inventory.counts.errors import CountTooLarge
from services.inventory.counts.models import Count
from services.inventory.counts.rules import LINES_MAX, CountState
from services.inventory.counts.schemas import CountCreate
from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.rules import item_reference
from services.inventory.locations.service import get_named_location, list_within, places_of
from shared import journal
from shared.contracts.inventory.counts import CountOpened
from shared.ids import new_id
from shared.principal import Places, Principal


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a scope covers now; None is everything."""

    places: Places
    categories: frozenset[UUID] | None
    items: Collection[UUID] | None

    def cover(self, item_id: UUID, category_id: UUID | None, place_id: UUID) -> bool:
        """Say whether an item at a location is covered."""
        return (
            (self.places is None or place_id in self.places)
            and (self.categories is None or category_id in self.categories)
            and (self.items is None or item_id in self.items)
        )


async def open_count(
    session: AsyncSession, wanted: CountCreate, *, caller: Principal, now: datetime
) -> Count:
    """Open a count with a line for each level with stock that it covers.

    It stops no movement. Raises LocationNotFound, CategoryNotFound, ItemNotFound, CountTooLarge.
    """
    places = await places_of(session, caller)
    scope = await _scope_of(session, wanted, places)
    bounds = await bounds_of(session, scope, places)
    found = await queries.list_levels(
        session,
        places=bounds.places,
        categories=bounds.categories,
        items=bounds.items,
        limit=LINES_MAX + 1,
    )
    if len(found) > LINES_MAX:
        raise CountTooLarge(lines_max=LINES_MAX)
    count = Count(
        id=new_id(),
        title=wanted.title,
        scope=scope.stored(),
        blind=wanted.blind,
        tolerance_percent=wanted.tolerance_percent,
        tolerance_quantity=wanted.tolerance_quantity,
        state=CountState.OPEN,
        last_line=len(found),
        opened_at=now,
        opened_by=caller.actor,
        version=1,
    )
    session.add(count)
    journal.record(
        session,
        CountOpened(
            count_id=count.id,
            title=count.title,
            blind=count.blind,
            locations=list(scope.locations),
            with_children=scope.with_children,
            categories=list(scope.categories),
            items=list(scope.items),
            lines=count.last_line,
            tolerance_percent=count.tolerance_percent,
            tolerance_quantity=count.tolerance_quantity,
        ),
    )
    await session.flush()  # Its lines refer to it.
    levels = [(row["item_id"], row["location_id"], row["lot_id"]) for row in found]
    await queries.add_lines(session, count.id, levels, first=1, is_found=False)
    return count


async def bounds_of(session: AsyncSession, scope: Scope, places: Places) -> Bounds:
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
    return Bounds(
        places=places if covered is None else covered,
        categories=categories,
        items=frozenset(scope.items) if scope.items else None,
    )


async def _scope_of(session: AsyncSession, wanted: CountCreate, places: Places) -> Scope:
    locations = [
        (await get_named_location(session, name, places=places)).id for name in wanted.locations
    ]
    categories = [(await get_named_category(session, name)).id for name in wanted.categories]
    found = await queries.find_item_ids(session, [item_reference(each) for each in wanted.items])
    for name, item_id in zip(wanted.items, found, strict=True):
        if item_id is None:
            raise ItemNotFound(item=name)
    return Scope(
        tuple(dict.fromkeys(locations)),
        wanted.with_children,
        tuple(dict.fromkeys(categories)),
        tuple(dict.fromkeys(each for each in found if each is not None)),
    )
