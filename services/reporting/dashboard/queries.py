from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def count_stock(session: AsyncSession, today: date) -> RowMapping:
    """Return items, active_items, low_stock, out_of_stock and on_hand_lines of the tenant.

    What expired before today counts for nothing, but lies there.
    """
    return (await session.execute(_STOCK, {"today": today})).mappings().one()


async def count_movements(session: AsyncSession, today: date) -> list[tuple[str, int, int]]:
    """Return (kind, movements of today, movements of today and the six days before) by kind."""
    rows = await session.execute(_MOVEMENTS, {"today": today})
    return [(row.kind, int(row.today or 0), int(row.week)) for row in rows]


# What may be issued of an item `i`: nothing of what expired before `:today`.
_STOCK_OF_ITEM = """
    LEFT JOIN item_values v ON v.item_id = i.id
    LEFT JOIN (
        SELECT item_id, sum(on_hand) AS expired FROM lots
        WHERE on_hand > 0 AND expires_on < CAST(:today AS date) GROUP BY item_id
    ) x ON x.item_id = i.id"""
_AVAILABLE = "(coalesce(v.held - v.owed, 0) - coalesce(x.expired, 0))"
_STOCK = text(f"""
    SELECT count(*) AS items,
           count(*) FILTER (WHERE i.active) AS active_items,
           count(*) FILTER (
               WHERE i.active AND {_AVAILABLE} <= i.reorder_point) AS low_stock,
           count(*) FILTER (
               WHERE i.active AND {_AVAILABLE} <= 0) AS out_of_stock,
           (SELECT count(*) FROM levels WHERE on_hand > 0) AS on_hand_lines
    FROM items i {_STOCK_OF_ITEM}""")  # noqa: S608 - put together from our own constants.
_MOVEMENTS = text("""
    SELECT kind, sum(movements) AS week,
           sum(movements) FILTER (WHERE day = CAST(:today AS date)) AS today
    FROM movement_days WHERE day BETWEEN CAST(:today AS date) - 6 AND CAST(:today AS date)
    GROUP BY kind ORDER BY kind""")
