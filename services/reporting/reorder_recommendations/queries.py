from collections.abc import Sequence
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_to_order(
    session: AsyncSession,
    *,
    after_code: str,
    until_code: str | None,
    by_forecast: Sequence[str],
    looked_at: Sequence[str],
    today: date,
    limit: int,
) -> Sequence[RowMapping]:
    """Return codes of items to order, in their order, and whether `by_forecast` has them.

    The others are active, at or below their reorder point, lie between the codes and were not
    looked at by forecasting; of those everything is told. What expired before today counts for
    nothing.
    """
    wanted = {
        "after_code": after_code,
        "until_code": until_code,
        "by_forecast": by_forecast,
        "looked_at": looked_at,
        "today": today,
        "limit": limit,
    }
    return (await session.execute(_TO_ORDER, wanted)).mappings().all()


async def count_low(session: AsyncSession, today: date) -> int:
    return int(await session.scalar(_COUNT_LOW, {"today": today}) or 0)


# What lies of an item `i`, and what of that may be issued: nothing of what expired before `:today`.
_STOCK_OF_ITEM = """
    LEFT JOIN item_values v ON v.item_id = i.id
    LEFT JOIN (
        SELECT item_id, sum(on_hand) AS expired FROM lots
        WHERE on_hand > 0 AND expires_on < CAST(:today AS date) GROUP BY item_id
    ) x ON x.item_id = i.id"""
_ON_HAND = "coalesce(v.held - v.owed, 0)"
_AVAILABLE = f"({_ON_HAND} - coalesce(x.expired, 0))"
_IS_LOW = f"i.active AND {_AVAILABLE} <= i.reorder_point"
# PostgreSQL puts both lists in one order: it alone knows how texts are compared here.
_TO_ORDER = text(f"""
    WITH low AS (
        SELECT i.code, i.name_en, i.name_fr, i.unit, i.reorder_point, i.reorder_quantity,
               i.par_level, i.pack_size, {_ON_HAND} AS on_hand, {_AVAILABLE} AS available
        FROM items i {_STOCK_OF_ITEM}
        WHERE {_IS_LOW} AND i.code > :after_code
            AND (CAST(:until_code AS text) IS NULL OR i.code <= :until_code)
            AND i.code <> ALL(CAST(:looked_at AS text[]))
        ORDER BY i.code LIMIT :limit
    )
    SELECT coalesce(f.code, low.code) AS code, f.code IS NOT NULL AS by_forecast, low.name_en,
           low.name_fr, low.unit, low.reorder_point, low.reorder_quantity, low.par_level,
           low.pack_size, low.on_hand, low.available
    FROM low FULL JOIN unnest(CAST(:by_forecast AS text[])) AS f (code) ON f.code = low.code
    ORDER BY 1 LIMIT :limit""")  # noqa: S608 - put together from our own constants.
_COUNT_LOW = text(f"""
    SELECT count(*) FROM items i {_STOCK_OF_ITEM} WHERE {_IS_LOW}""")  # noqa: S608 - same.
