"""Adding, moving and retiring locations, and how full they are."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.locations import queries
from services.inventory.locations.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
    LocationRetired,
)
from services.inventory.locations.models import Location
from services.inventory.locations.rules import LocationType, may_lie_in, utilisation
from services.inventory.locations.schemas import (
    LocationCreate,
    LocationPage,
    LocationQuery,
    LocationRead,
    LocationUpdate,
)
from shared import journal
from shared.contracts.inventory.locations import LocationRemoved, LocationSaved
from shared.db import Database, driver_connection
from shared.db.conflicts import conflicts
from shared.etag import require_match
from shared.identifiers import find_id, identifier_key
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Places, Principal

_BY_NAME = Keyset("name", str)


async def add_location(session: AsyncSession, wanted: LocationCreate, *, now: datetime) -> Location:
    """Add a location.

    In one that is frozen it is frozen too. Raises LocationNotFound and LocationRetired (the
    parent), LocationMisplaced, LocationNameTaken, Frozen.
    """
    await freezes.require_thawed(session)
    location = Location(
        id=new_id(),
        name=wanted.name,
        name_key=identifier_key(wanted.name),
        type=wanted.type.value,
        parent_id=await _find_parent(session, wanted.type, wanted.parent),
        capacity=wanted.capacity,
        active=True,
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(location)
    await _save(session, location)
    await freezes.cover_locations(session)
    return location


async def change_location(
    session: AsyncSession,
    location_id: UUID,
    wanted: LocationUpdate,
    if_match: str | None,
    *,
    now: datetime,
) -> Location:
    """Change the fields given; a new parent takes it with all that lies in it.

    Raises LocationNotFound, PreconditionFailed, LocationRetired (the parent), LocationMisplaced,
    LocationNameTaken, Frozen.
    """
    await freezes.require_thawed(session)
    location = await _lock(session, location_id)
    require_match(if_match, location.version)
    if not wanted.model_fields_set:
        return location
    if "parent" in wanted.model_fields_set:
        kind = LocationType(location.type)
        location.parent_id = await _find_parent(session, kind, wanted.parent)
    elif wanted.active is not None:
        await _hold_parent(session, location.parent_id)
    if wanted.name is not None:
        location.name, location.name_key = wanted.name, identifier_key(wanted.name)
    if "capacity" in wanted.model_fields_set:
        location.capacity = wanted.capacity
    location.active = location.active or wanted.active is not None
    _renew(location, now)
    await _save(session, location)
    if "parent" in wanted.model_fields_set:
        await freezes.cover_locations(session)
    return location


async def retire_location(
    session: AsyncSession, location_id: UUID, if_match: str | None, *, now: datetime
) -> None:
    """Retire a location that is empty; one that never held anything is removed.

    Raises LocationNotFound, PreconditionFailed, LocationInUse, Frozen.
    """
    await freezes.require_thawed(session, alone=True)
    location = await _lock(session, location_id, against_movements=True)
    require_match(if_match, location.version)
    if await queries.holds_anything(session, location.id):
        raise LocationInUse(location=location.name)
    if await queries.was_used(session, location.id):
        if location.active:
            location.active = False
            _renew(location, now)
            await _save(session, location)
        return
    await session.delete(location)
    in_use = LocationInUse(location=location.name)
    broken = ("levels_at_location", "locations_parent", "approval_lines_location")
    with conflicts(dict.fromkeys(broken, in_use)):
        await session.flush()  # The database knows what refers to it.
    journal.record(session, LocationRemoved(location_id=location.id, location_name=location.name))


async def find_places(connection: asyncpg.Connection, caller: Principal) -> Places:
    """Return the locations that the caller may know of; None for all.

    Who is limited to a location has what lies in it too. All else is for him as if it were not
    there: what shows or moves stock takes these places and looks no further.
    """
    if caller.locations is None:
        return None
    return await queries.list_within(connection, caller.locations)


async def find_places_of(database: Database, caller: Principal) -> Places:
    """Return the same, asked on the hot path: nobody waits who is not limited."""
    if caller.locations is None:
        return None
    async with database.hot(caller.tenant_id) as connection:
        return await find_places(connection, caller)


async def places_of(session: AsyncSession, caller: Principal) -> Places:
    """Return the same, asked in a session."""
    if caller.locations is None:
        return None
    return await find_places(await driver_connection(session), caller)


async def list_within(session: AsyncSession, location_id: UUID) -> frozenset[UUID]:
    """Return the location and all that lies in it."""
    return await queries.list_within(await driver_connection(session), [location_id])


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


async def hold_location(session: AsyncSession, name: str) -> Location:
    """Return the location of this name or id, which stays in use until the transaction ends.

    Raises LocationNotFound, LocationRetired.
    """
    location = await get_named_location(session, name)
    await _hold_parent(session, location.id)
    return location


async def list_locations(
    session: AsyncSession, wanted: LocationQuery, *, caller: Principal
) -> LocationPage:
    """Return one page of the locations that the caller may know of, by name.

    Raises InvalidCursor.
    """
    places = await places_of(session, caller)
    rows = await queries.list_locations(
        session,
        active=wanted.active,
        after=_BY_NAME.after(wanted.cursor),
        places=places,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _BY_NAME.page(rows, wanted.limit, lambda location: (location.name,))
    used = {}
    if wanted.with_use:
        sums = await queries.sum_stock(session, [location.id for location in page])
        used = {location.id: sums.get(location.id, Decimal(0)) for location in page}
    items = [_shown(location, used.get(location.id), places) for location in page]
    return LocationPage(items=items, next_cursor=next_cursor)


async def read_location(
    session: AsyncSession, location: Location, *, places: Places = None
) -> LocationRead:
    """Return the location, and what lies in it, as shown to somebody who knows of these places."""
    sums = await queries.sum_stock(session, [location.id])
    return _shown(location, sums.get(location.id, Decimal(0)), places)


def _shown(location: Location, used: Decimal | None, places: Places) -> LocationRead:
    knows_parent = places is None or location.parent_id in places
    return LocationRead(
        id=location.id,
        name=location.name,
        type=LocationType(location.type),
        parent_id=location.parent_id if knows_parent else None,
        capacity=location.capacity,
        used=used,
        utilisation=utilisation(used, location.capacity),
        active=location.active,
        version=location.version,
        created_at=location.created_at,
        updated_at=location.updated_at,
    )


async def _lock(
    session: AsyncSession, location_id: UUID, *, against_movements: bool = False
) -> Location:
    location = await queries.lock_location(
        session, location_id, against_movements=against_movements
    )
    if location is None:
        raise LocationNotFound(location=str(location_id))
    await freezes.require_not_frozen(session, location.frozen_by)
    return location


async def _find_parent(session: AsyncSession, kind: LocationType, name: str | None) -> UUID | None:
    """Return where a location of this kind will lie, which stays in use; None for nowhere.

    The kinds see to it that none lies in itself. Raises LocationNotFound, LocationRetired,
    LocationMisplaced.
    """
    parent = await get_named_location(session, name) if name is not None else None
    if not may_lie_in(kind, LocationType(parent.type) if parent else None):
        raise LocationMisplaced
    if parent is None:
        return None
    await _hold_parent(session, parent.id)
    return parent.id


async def _hold_parent(session: AsyncSession, parent_id: UUID | None) -> None:
    """Let the parent stay in use until the transaction ends.

    Raises LocationNotFound, LocationRetired.
    """
    if parent_id is None:
        return
    parent = await queries.hold_location(session, parent_id)
    if parent is None:
        raise LocationNotFound(location=str(parent_id))
    if not parent.active:
        raise LocationRetired(location=parent.name)


def _renew(location: Location, now: datetime) -> None:
    location.version += 1
    location.updated_at = now


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
            active=location.active,
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
