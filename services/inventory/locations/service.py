"""Adding, changing and removing locations."""

from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations import queries
from services.inventory.locations.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
)
from services.inventory.locations.models import Location
from services.inventory.locations.rules import LocationType, may_lie_in
from services.inventory.locations.schemas import (
    LocationCreate,
    LocationPage,
    LocationQuery,
    LocationRead,
    LocationUpdate,
)
from shared import journal
from shared.contracts.inventory.locations import LocationRemoved, LocationSaved
from shared.db import driver_connection
from shared.db.conflicts import conflicts
from shared.etag import require_match
from shared.identifiers import find_id, identifier_key
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Places, Principal

_BY_NAME = Keyset("name", str)


async def add_location(session: AsyncSession, wanted: LocationCreate, *, now: datetime) -> Location:
    """Add a location.

    Raises LocationNotFound (the parent), LocationMisplaced, LocationNameTaken.
    """
    parent = await get_named_location(session, wanted.parent) if wanted.parent else None
    if not may_lie_in(wanted.type, LocationType(parent.type) if parent else None):
        raise LocationMisplaced
    location = Location(
        id=new_id(),
        name=wanted.name,
        name_key=identifier_key(wanted.name),
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
    location = await _lock(session, location_id)
    require_match(if_match, location.version)
    if not wanted.model_fields_set:
        return location
    if wanted.name is not None:
        location.name, location.name_key = wanted.name, identifier_key(wanted.name)
    if "capacity" in wanted.model_fields_set:
        location.capacity = wanted.capacity
    location.version += 1
    location.updated_at = now
    await _save(session, location)
    return location


async def remove_location(session: AsyncSession, location_id: UUID, if_match: str | None) -> None:
    """Remove a location that was never used.

    Raises LocationNotFound, PreconditionFailed, LocationInUse.
    """
    location = await _lock(session, location_id, against_movements=True)
    require_match(if_match, location.version)
    await session.delete(location)
    in_use = LocationInUse()
    with conflicts({"levels_at_location": in_use, "locations_parent": in_use}):
        await session.flush()  # The database knows whether levels or children refer to it.
    journal.record(session, LocationRemoved(location_id=location.id, location_name=location.name))


async def find_places(connection: asyncpg.Connection, caller: Principal) -> Places:
    """Return the locations that the caller may know of; None for all.

    Who is limited to a location has what lies in it too. All else is for him as if it were not
    there: what shows or moves stock takes these places and looks no further.
    """
    if caller.locations is None:
        return None
    return await queries.list_within(connection, caller.locations)


async def places_of(session: AsyncSession, caller: Principal) -> Places:
    """Return the same, asked in a session."""
    if caller.locations is None:
        return None
    return await find_places(await driver_connection(session), caller)


async def get_location(
    session: AsyncSession, location_id: UUID, *, places: Places = None
) -> Location:
    """Return the location, if it is one of the places. Raises LocationNotFound."""
    location = await queries.find_location(session, location_id)
    if location is None or (places is not None and location.id not in places):
        raise LocationNotFound(location=str(location_id))
    return location


async def get_named_location(
    session: AsyncSession, name: str, *, places: Places = None
) -> Location:
    """Return the location that a text names, an id or a name, if it is one of the places.

    Raises LocationNotFound.
    """
    location_id = find_id(name)
    if location_id is not None:
        return await get_location(session, location_id, places=places)
    location = await queries.find_location_by_key(session, identifier_key(name))
    if location is None or (places is not None and location.id not in places):
        raise LocationNotFound(location=name)
    return location


async def list_locations(
    session: AsyncSession, wanted: LocationQuery, *, caller: Principal
) -> LocationPage:
    """Return one page of the locations that the caller may know of, by name.

    Raises InvalidCursor.
    """
    places = await places_of(session, caller)
    rows = await queries.list_locations(
        session, after=_BY_NAME.after(wanted.cursor), places=places, limit=wanted.limit + 1
    )
    page, next_cursor = _BY_NAME.page(rows, wanted.limit, lambda location: (location.name,))
    return LocationPage(
        items=[to_read(location, places) for location in page], next_cursor=next_cursor
    )


def to_read(location: Location, places: Places = None) -> LocationRead:
    """Return the location as shown to somebody who knows of these places."""
    shown = LocationRead.model_validate(location)
    if places is None or location.parent_id in places:
        return shown
    return shown.model_copy(update={"parent_id": None})


async def _lock(
    session: AsyncSession, location_id: UUID, *, against_movements: bool = False
) -> Location:
    location = await queries.lock_location(
        session, location_id, against_movements=against_movements
    )
    if location is None:
        raise LocationNotFound(location=str(location_id))
    return location


async def _save(session: AsyncSession, location: Location) -> None:
    """Write the location now: the database knows of a name taken or a parent gone meanwhile."""
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
    taken = LocationNameTaken(location=location.name)
    parent_gone = LocationNotFound(location=str(location.parent_id))
    broken = {
        "locations_name": taken,
        "locations_named_once": taken,
        "locations_parent": parent_gone,
    }
    with conflicts(broken):
        await session.flush()
