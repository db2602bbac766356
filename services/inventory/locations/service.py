"""Adding, changing and removing locations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
)
from services.inventory.locations import queries
from services.inventory.locations.models import Location
from services.inventory.locations.rules import LocationType, may_lie_in
from services.inventory.locations.schemas import (
    LocationCreate,
    LocationPage,
    LocationRead,
    LocationUpdate,
)
from shared import journal
from shared.contracts.inventory.locations import LocationRemoved, LocationSaved
from shared.etag import require_match
from shared.ids import new_id
from shared.pagination import decode_cursor, encode_cursor

_BY_NAME = "name"


async def add_location(session: AsyncSession, wanted: LocationCreate, *, now: datetime) -> Location:
    """Add a location.

    Raises LocationNotFound (the parent), LocationMisplaced, LocationNameTaken.
    """
    parent = await get_location_by_name(session, wanted.parent) if wanted.parent else None
    if not may_lie_in(wanted.type, LocationType(parent.type) if parent else None):
        raise LocationMisplaced
    location = Location(
        id=new_id(),
        name=wanted.name,
        type=wanted.type.value,
        parent_id=parent.id if parent else None,
        capacity=wanted.capacity,
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(location)
    await _save(session, location)
    return location


async def change_location(
    session: AsyncSession,
    location_id: UUID,
    wanted: LocationUpdate,
    if_match: str | None,
    *,
    now: datetime,
) -> Location:
    """Change the fields given. Raises LocationNotFound, PreconditionFailed, LocationNameTaken."""
    location = await get_location(session, location_id, lock=True)
    require_match(if_match, location.version)
    for name in wanted.model_fields_set:
        setattr(location, name, getattr(wanted, name))
    location.version += 1
    location.updated_at = now
    await _save(session, location)
    return location


async def remove_location(session: AsyncSession, location_id: UUID, if_match: str | None) -> None:
    """Remove a location that was never used.

    Raises LocationNotFound, PreconditionFailed, LocationInUse.
    """
    location = await get_location(session, location_id, lock=True)
    require_match(if_match, location.version)
    await session.delete(location)
    try:
        await session.flush()  # The database knows whether levels or children refer to it.
    except IntegrityError as error:
        raise LocationInUse from error
    journal.record(session, LocationRemoved(location_id=location.id, location_name=location.name))


async def get_location(session: AsyncSession, location_id: UUID, *, lock: bool = False) -> Location:
    """Return the location. Raises LocationNotFound."""
    location = await queries.find_location(session, location_id, lock=lock)
    if location is None:
        raise LocationNotFound(location=str(location_id))
    return location


async def get_location_by_name(session: AsyncSession, name: str) -> Location:
    """Return the location of that name. Raises LocationNotFound."""
    location = await queries.find_by_name(session, name)
    if location is None:
        raise LocationNotFound(location=name)
    return location


async def list_locations(session: AsyncSession, *, cursor: str | None, limit: int) -> LocationPage:
    """Return one page of locations by name. Raises InvalidCursor."""
    after = decode_cursor(cursor, _BY_NAME, 1)
    rows = await queries.list_locations(
        session, after_name=after[0] if after else None, limit=limit + 1
    )
    page = rows[:limit]
    return LocationPage(
        items=[LocationRead.model_validate(location) for location in page],
        next_cursor=encode_cursor(_BY_NAME, [page[-1].name]) if len(rows) > limit else None,
    )


async def _save(session: AsyncSession, location: Location) -> None:
    """Write the location now, so that a name taken meanwhile is told apart from other faults."""
    journal.record(
        session,
        LocationSaved(
            location_id=location.id,
            location_name=location.name,
            type=location.type,
            parent_id=location.parent_id,
            capacity=location.capacity,
        ),
    )
    try:
        await session.flush()
    except IntegrityError as error:
        raise LocationNameTaken(location=location.name) from error
