from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.inventory.freezes.errors import Frozen
from services.inventory.locations import service
from services.inventory.locations.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
    LocationRetired,
)
from services.inventory.locations.schemas import (
    LocationCreate,
    LocationPage,
    LocationQuery,
    LocationRead,
    LocationUpdate,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch

router = feature_router("/api/locations", "locations")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanWrite = Annotated[Principal, Depends(requires("inventory:write"))]


@router.get("", responses=problems(InvalidCursor))
async def list_locations(
    session: Session, caller: CanRead, query: Annotated[LocationQuery, Query()]
) -> LocationPage:
    """List locations.

    By name; `parent_id` tells the tree.
    """
    return await service.list_locations(session, query, caller=caller)


@router.post(
    "",
    status_code=201,
    responses=problems(
        LocationNotFound, LocationRetired, LocationMisplaced, LocationNameTaken, Frozen
    ),
)
async def add_location(
    body: LocationCreate,
    session: Session,
    _caller: CanWrite,
    now: Now,
) -> LocationRead:
    """Add a location."""
    location = await service.add_location(session, body, now=now)
    return await service.read_location(session, location)


@router.get(
    "/{location_id:uuid}",
    responses=problems(LocationNotFound),
)
async def get_location(location_id: UUID, session: Session, caller: CanRead) -> LocationRead:
    """Read a location."""
    places = await service.places_of(session, caller)
    location = await service.get_location(session, location_id, places=places)
    return await service.read_location(session, location, places=places)


@router.patch(
    "/{location_id:uuid}",
    responses=problems(
        LocationNotFound, LocationRetired, LocationMisplaced, LocationNameTaken, Frozen
    ),
)
async def change_location(
    location_id: UUID,
    body: LocationUpdate,
    session: Session,
    _caller: CanWrite,
    now: Now,
    if_match: IfMatch = None,
) -> LocationRead:
    """Change a location.

    Renames it, moves it with all that lies in it, sets its capacity, or brings it back.
    """
    location = await service.change_location(session, location_id, body, if_match, now=now)
    return await service.read_location(session, location)


@router.delete(
    "/{location_id:uuid}",
    status_code=204,
    responses=problems(LocationNotFound, LocationInUse, Frozen),
)
async def retire_location(
    location_id: UUID,
    session: Session,
    _caller: CanWrite,
    now: Now,
    if_match: IfMatch = None,
) -> None:
    """Retire a location.

    It must be empty, and so must all that lies in it be retired. Nothing comes to it any more; its
    history stays. One that never held anything is gone for good.
    """
    await service.retire_location(session, location_id, if_match, now=now)
