from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.planning.models import Planning
from shared.principal import Places


async def lock_planning(session: AsyncSession, item_id: UUID, location_id: UUID) -> Planning | None:
    query = select(Planning).where(Planning.item_id == item_id, Planning.location_id == location_id)
    return await session.scalar(query.with_for_update())


async def list_planning(
    session: AsyncSession,
    item_id: UUID,
    *,
    only: UUID | None = None,
    after: tuple[str] | None = None,
    places: Places,
    limit: int = 1,
) -> Sequence[RowMapping]:
    """Return the item's own values at these places, or at `only` one, by the locations' names."""
    parameters = {
        "item_id": item_id,
        "only": only,
        "after": after[0] if after else "",
        "places": None if places is None else list(places),
        "limit": limit,
    }
    return (await session.execute(_LIST, parameters)).mappings().all()


_LIST = text("""
    SELECT p.*, l.name AS location FROM planning p JOIN locations l ON l.id = p.location_id
    WHERE p.item_id = :item_id AND l.name > :after
        AND (CAST(:only AS uuid) IS NULL OR p.location_id = :only)
        AND (CAST(:places AS uuid[]) IS NULL OR p.location_id = ANY(CAST(:places AS uuid[])))
    ORDER BY l.name LIMIT :limit""")
