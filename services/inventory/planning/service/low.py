"""Which items are low, by what is wished of them."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations.service import get_named_location, list_within, places_of
from services.inventory.planning import queries
from services.inventory.planning.schemas import LowStockItem, LowStockPage, LowStockQuery
from shared.pagination import Keyset
from shared.principal import Principal

_BY_CODE = Keyset("code", str)


async def list_low_stock(
    session: AsyncSession, wanted: LowStockQuery, *, caller: Principal, language: str
) -> LowStockPage:
    """Return one page of the items that are low, in all or at a location, by their codes.

    Raises LocationNotFound, InvalidCursor.
    """
    places = await places_of(session, caller)
    after, limit = _BY_CODE.after(wanted.cursor), wanted.limit + 1
    if wanted.location is None:
        rows = await queries.list_low(
            session, language, below=wanted.below, after=after, places=places, limit=limit
        )
    else:
        location = await get_named_location(session, wanted.location, places=places)
        within = await list_within(session, location.id)
        rows = await queries.list_low_at(
            session, language, location.id, within, below=wanted.below, after=after, limit=limit
        )
    page, next_cursor = _BY_CODE.page(rows, wanted.limit, lambda row: (row["code"],))
    return LowStockPage(
        items=[LowStockItem.model_validate(row) for row in page], next_cursor=next_cursor
    )
