"""What is wished of items at single locations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.items.errors import ItemNotFound
from services.inventory.items.service import get_item
from services.inventory.locations.errors import LocationNotFound
from services.inventory.locations.service import (
    get_location,
    places_of,
)
from services.inventory.planning import queries
from services.inventory.planning.errors import PlanningNotFound
from services.inventory.planning.models import Planning
from services.inventory.planning.schemas import (
    PlanningCreate,
    PlanningPage,
    PlanningQuery,
    PlanningRead,
)
from shared import journal
from shared.contracts.inventory.planning import PlanningRemoved, PlanningSaved
from shared.db.conflicts import conflicts
from shared.errors import PreconditionFailed
from shared.etag import require_match
from shared.pagination import Keyset
from shared.principal import Principal

_BY_LOCATION = Keyset("location", str)


async def put_planning(
    session: AsyncSession,
    item_id: UUID,
    location_id: UUID,
    wanted: PlanningCreate,
    if_match: str | None,
    *,
    now: datetime,
) -> PlanningRead:
    """Make the item's values at a location what the body says.

    Raises ItemNotFound, LocationNotFound, PreconditionFailed, Frozen.
    """
    await freezes.require_thawed(session)
    item = await get_item(session, item_id)
    await freezes.require_not_frozen(session, item.frozen_by)
    location = await get_location(session, location_id)
    await freezes.require_not_frozen(session, location.frozen_by)
    planning = await queries.lock_planning(session, item_id, location_id)
    if planning is None:
        if if_match is not None:
            raise PreconditionFailed
        planning = Planning(item_id=item_id, location_id=location_id, version=0, created_at=now)
        session.add(planning)
    else:
        require_match(if_match, planning.version)
    planning.par_level, planning.reorder_point = wanted.par_level, wanted.reorder_point
    planning.reorder_quantity, planning.maximum = wanted.reorder_quantity, wanted.maximum
    planning.version, planning.updated_at = planning.version + 1, now
    journal.record(session, PlanningSaved.of(planning))
    broken = {
        "planning_pkey": PreconditionFailed(),  # Somebody else was the first, just now.
        "planning_of_item": ItemNotFound(item=str(item_id)),
        "planning_at_location": LocationNotFound(location=str(location_id)),
    }
    with conflicts(broken):
        await session.flush()
    return PlanningRead.model_validate(planning.__dict__ | {"location": location.name})


async def remove_planning(
    session: AsyncSession, item_id: UUID, location_id: UUID, if_match: str | None
) -> None:
    """Let the item's own values hold at a location again.

    Raises ItemNotFound, PlanningNotFound, LocationNotFound, PreconditionFailed, Frozen.
    """
    await freezes.require_thawed(session)
    item = await get_item(session, item_id)
    await freezes.require_not_frozen(session, item.frozen_by)
    planning = await queries.lock_planning(session, item_id, location_id)
    if planning is None:
        raise PlanningNotFound
    location = await get_location(session, location_id)
    await freezes.require_not_frozen(session, location.frozen_by)
    require_match(if_match, planning.version)
    await session.delete(planning)
    journal.record(session, PlanningRemoved(item_id=item_id, location_id=location_id))


async def get_planning(
    session: AsyncSession, item_id: UUID, location_id: UUID, *, caller: Principal
) -> PlanningRead:
    """Return the item's own values at a location.

    Raises ItemNotFound, LocationNotFound, PlanningNotFound.
    """
    places = await places_of(session, caller)
    await get_item(session, item_id)
    await get_location(session, location_id, places=places)
    rows = await queries.list_planning(session, item_id, only=location_id, places=places)
    if not rows:
        raise PlanningNotFound
    return PlanningRead.model_validate(rows[0])


async def list_planning(
    session: AsyncSession, item_id: UUID, wanted: PlanningQuery, *, caller: Principal
) -> PlanningPage:
    """Return one page of an item's own values, by location. Raises ItemNotFound, InvalidCursor."""
    places = await places_of(session, caller)
    await get_item(session, item_id)
    rows = await queries.list_planning(
        session,
        item_id,
        after=_BY_LOCATION.after(wanted.cursor),
        places=places,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _BY_LOCATION.page(rows, wanted.limit, lambda row: (row["location"],))
    return PlanningPage(
        items=[PlanningRead.model_validate(row) for row in page], next_cursor=next_cursor
    )
