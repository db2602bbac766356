from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_low(session: AsyncSession, *, after_code: str, limit: int) -> Sequence[RowMapping]:
    """Return active items at or below their reorder point, in the order of their codes."""
    rows = await session.execute(_LOW, {"after_code": after_code, "limit": limit})
    return rows.mappings().all()


async def count_low(session: AsyncSession) -> int:
    return int(await session.scalar(_COUNT_LOW) or 0)


_IS_LOW = "i.active AND coalesce(v.held - v.owed, 0) <= i.reorder_point"
_LOW = text(f"""
    SELECT i.code, i.name_en, i.name_fr, i.unit, i.reorder_point, i.reorder_quantity, i.par_level,
           i.pack_size, coalesce(v.held - v.owed, 0) AS on_hand
    FROM items i LEFT JOIN item_values v ON v.item_id = i.id
    WHERE {_IS_LOW} AND i.code > :after_code ORDER BY i.code LIMIT :limit""")  # noqa: S608 - put together from our own constants.
_COUNT_LOW = text(f"""
    SELECT count(*) FROM items i LEFT JOIN item_values v ON v.item_id = i.id
    WHERE {_IS_LOW}""")  # noqa: S608 - same.
