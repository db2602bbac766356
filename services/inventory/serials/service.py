"""Serial numbers: which there are, where each unit lies, and all that ever moved it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.service import get_item
from services.inventory.ledger.rules import Reference, item_reference, lot_name
from services.inventory.locations.service import find_places, get_named_location, places_of
from services.inventory.openings.service import find_kept_from
from services.inventory.serials import queries
from services.inventory.serials.errors import SerialNotFound
from services.inventory.serials.schemas import (
    SerialHistory,
    SerialHistoryQuery,
    SerialMovementRead,
    SerialPage,
    SerialQuery,
    SerialRead,
)
from shared.db import Database, driver_connection
from shared.pagination import Keyset
from shared.principal import Principal

_BY_KEY = Keyset("serial", str)
_IN_TIME = Keyset("in_time", datetime, int)


async def get_history(
    session: AsyncSession, serial: str, wanted: SerialHistoryQuery, *, caller: Principal
) -> SerialHistory:
    """Return the units of a serial number, and one page of all their movements, oldest first.

    Who is limited to some locations is told of what was there. Raises SerialNotFound,
    InvalidCursor.
    """
    places = await places_of(session, caller)
    after = _IN_TIME.after(wanted.cursor)
    item = item_reference(wanted.item) if wanted.item else None
    connection = await driver_connection(session)
    found = await queries.find_serials(connection, lot_name(serial), item, places=places)
    if not found:
        raise SerialNotFound(serial=serial)
    rows = await queries.list_history(
        session,
        [row["id"] for row in found],
        after=after,
        places=places,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _IN_TIME.page(
        rows, wanted.limit, lambda row: (row["occurred_at"], row["seq"])
    )
    return SerialHistory(
        found=[SerialRead.model_validate(dict(row)) for row in found],
        items=[SerialMovementRead.model_validate(row) for row in page],
        next_cursor=next_cursor,
        kept_from=await find_kept_from(session),
    )


async def list_serials(
    session: AsyncSession, item_id: UUID, wanted: SerialQuery, *, caller: Principal
) -> SerialPage:
    """Return one page of an item's serials, in their order.

    Who is limited to some locations is told of those that were ever there. Raises ItemNotFound,
    LocationNotFound, InvalidCursor.
    """
    places = await places_of(session, caller)
    await get_item(session, item_id)
    location_id = None
    if wanted.location is not None:
        location_id = (await get_named_location(session, wanted.location, places=places)).id
    rows = await queries.list_serials(
        session,
        item_id,
        location_id=location_id,
        on_hand=wanted.on_hand if location_id is None else wanted.on_hand is not False,
        after=_BY_KEY.after(wanted.cursor),
        places=places,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _BY_KEY.page(rows, wanted.limit, lambda row: (row["key"],))
    return SerialPage(
        items=[SerialRead.model_validate(row) for row in page], next_cursor=next_cursor
    )


async def find_serials(
    database: Database, serial: str, item_id: UUID | None, *, caller: Principal
) -> Sequence[SerialRead]:
    """Return the units of a serial number, of an item or of any, that the caller may know of."""
    item = None if item_id is None else Reference(item_id, None, str(item_id))
    async with database.hot(caller.tenant_id) as connection:
        places = await find_places(connection, caller)
        rows = await queries.find_serials(connection, lot_name(serial), item, places=places)
    return [SerialRead.model_validate(dict(row)) for row in rows]
