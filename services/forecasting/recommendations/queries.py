from collections.abc import Sequence
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_forecast_items(
    session: AsyncSession, *, after_code: str, today: date, limit: int
) -> Sequence[RowMapping]:
    """Return active items that have an active model, with stock and forecast, by code."""
    names = {"after_code": after_code, "today": today, "limit": limit}
    rows = await session.execute(_ITEMS, names)
    return rows.mappings().all()


_ITEMS = text("""
    SELECT i.code, i.name_en, i.name_fr, i.unit, i.pack_size, i.pack_unit, i.reorder_quantity,
           i.lead_time_days, t.on_hand, t.reserved, x.expired, m.model_type, m.beats_baseline,
           f.first_day, f.last_day, f.points, f.sum_error_variance
    FROM items i
    JOIN models m ON m.item_id = i.id AND m.status = 'active'
    JOIN forecasts f ON f.model_id = m.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved
        FROM levels WHERE item_id = i.id
    ) t
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(on_hand), 0) AS expired FROM lots
        WHERE item_id = i.id AND on_hand > 0 AND expires_on < CAST(:today AS date)
    ) x
    WHERE i.active AND i.code > :after_code ORDER BY i.code LIMIT :limit""")
