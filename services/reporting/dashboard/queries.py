from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def count_stock(session: AsyncSession) -> RowMapping:
    """Return items, active_items, low_stock, out_of_stock and on_hand_lines of the tenant."""
    return (await session.execute(_STOCK)).mappings().one()


async def list_days(session: AsyncSession, first: date) -> list[tuple[date, str, int]]:
    """Return (day, kind, movements) from a day on."""
    rows = await session.execute(_DAYS, {"first": first})
    return [(row.day, row.kind, row.movements) for row in rows]


_STOCK = text("""
    SELECT count(*) AS items,
           count(*) FILTER (WHERE i.active) AS active_items,
           count(*) FILTER (
               WHERE i.active AND coalesce(v.held - v.owed, 0) <= i.reorder_point) AS low_stock,
           count(*) FILTER (
               WHERE i.active AND coalesce(v.held - v.owed, 0) <= 0) AS out_of_stock,
           (SELECT count(*) FROM levels WHERE on_hand > 0) AS on_hand_lines
    FROM items i LEFT JOIN item_values v ON v.item_id = i.id""")
_DAYS = text("SELECT day, kind, movements FROM movement_days WHERE day >= :first")
