from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.inventory.locations import service
from services.inventory.locations.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
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

    By name.
    """
    return await service.list_locations(session, query, caller=caller)


@router.post(
    "",
    status_code=201,
    responses=problems(LocationNotFound, LocationNameTaken, LocationMisplaced),
)
async def add_location(
    body: LocationCreate,
    session: Session,
    _caller: CanWrite,
    now: Now,
) -> LocationRead:
    """Add a location."""
    location = await service.add_location(session, body, now=now)
    return service.to_read(location)


@router.get(
    "/{location_id:uuid}",
    responses=problems(LocationNotFound),
)
async def get_location(location_id: UUID, session: Session, caller: CanRead) -> LocationRead:
    """Read a location."""
    places = await service.places_of(session, caller)
    location = await service.get_location(session, location_id, places=places)
    return service.to_read(location, places)


@router.patch(
    "/{location_id:uuid}",
    responses=problems(LocationNotFound, LocationNameTaken),
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

    Its name or its capacity.
    """
    location = await service.change_location(session, location_id, body, if_match, now=now)
    return service.to_read(location)


@router.delete(
    "/{location_id:uuid}",
    status_code=204,
    responses=problems(LocationNotFound, LocationInUse),
)
async def remove_location(
    location_id: UUID, session: Session, _caller: CanWrite, if_match: IfMatch = None
) -> None:
    """Remove a location.

    It must never have held stock, and contain no other.
    """
    await service.remove_location(session, location_id, if_match)
