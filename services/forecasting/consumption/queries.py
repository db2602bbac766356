from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.consumption.rules import LedgerDay

PRODUCER = "inventory"


async def save_items(session: AsyncSession, items: Sequence[dict[str, Any]]) -> None:
    """Write items as inventory's entries tell them; each may appear once."""
    await session.execute(_SAVE_ITEMS, {"rows": orjson.dumps(items).decode()})


async def add_movements(session: AsyncSession, movements: Sequence[dict[str, Any]]) -> None:
    """Add ledger rows to the days and levels they belong to.

    What was undone was no demand: it counts as returned on the day on which it happened. The stock
    changes on the day of the reversal.
    """
    await session.execute(_ADD_MOVEMENTS, {"rows": orjson.dumps(movements).decode()})


async def change_lots(session: AsyncSession, told: Sequence[dict[str, Any]]) -> None:
    """Add ledger rows, and corrections, to the lots that they name, in their order.

    The last to say when a lot expires is right.
    """
    await session.execute(_CHANGE_LOTS, {"rows": orjson.dumps(told).decode()})


async def find_items(
    session: AsyncSession, ids: Sequence[UUID], keys: Sequence[str]
) -> Sequence[RowMapping]:
    """Return (id, code, code_key) of the items with these ids, or codes of these keys."""
    rows = await session.execute(_FIND_ITEMS, {"ids": list(ids), "keys": list(keys)})
    return rows.mappings().all()


async def list_items(session: AsyncSession, *, after_code: str, limit: int) -> Sequence[RowMapping]:
    """Return (id, code) of the items that were ever moved, in order of code."""
    rows = await session.execute(_LIST_ITEMS, {"after_code": after_code, "limit": limit})
    return rows.mappings().all()


async def list_top_items(session: AsyncSession, *, since: date, limit: int) -> Sequence[RowMapping]:
    """Return (id, code) of the active items issued most since a day, the most first."""
    return (await session.execute(_TOP_ITEMS, {"since": since, "limit": limit})).mappings().all()


async def list_ledger_days(
    session: AsyncSession, item_ids: Sequence[UUID], last_day: date
) -> dict[UUID, list[LedgerDay]]:
    """Return each item's days with movements up to `last_day` over all locations, in order."""
    rows = await session.execute(_LEDGER_DAYS, {"items": list(item_ids), "last_day": last_day})
    return {
        item_id: [LedgerDay(*row[1:]) for row in group]
        for item_id, group in groupby(rows, lambda row: row[0])
    }


async def followed_until(session: AsyncSession) -> datetime | None:
    """Return when the newest ledger entry known here was recorded; None before the first."""
    found: datetime | None = await session.scalar(_FOLLOWED_UNTIL, {"producer": PRODUCER})
    return found


_SAVE_ITEMS = text("""
    INSERT INTO items (id, code, code_key, name_en, name_fr, unit, pack_size, pack_unit,
                       reorder_quantity, lead_time_days, active)
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(
        item_id uuid, code text, code_key text, name_en text, name_fr text, unit text,
        pack_size numeric, pack_unit text, reorder_quantity numeric, lead_time_days int,
        active boolean)
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        code = excluded.code, code_key = excluded.code_key,
        name_en = excluded.name_en, name_fr = excluded.name_fr,
        unit = excluded.unit, pack_size = excluded.pack_size, pack_unit = excluded.pack_unit,
        reorder_quantity = excluded.reorder_quantity, lead_time_days = excluded.lead_time_days,
        active = excluded.active""")
_ADD_MOVEMENTS = text("""
    WITH told AS MATERIALIZED (
        SELECT item_id, location_id, kind, quantity, reversed_kind,
               (occurred_at AT TIME ZONE 'UTC')::date AS day,
               (reversed_at AT TIME ZONE 'UTC')::date AS reversed_day
        FROM json_to_recordset(CAST(:rows AS json)) AS r(
            item_id uuid, location_id uuid, kind text, quantity numeric, occurred_at timestamptz,
            reversed_kind text, reversed_at timestamptz)
    ), moved AS (
        SELECT item_id, location_id, day, quantity,
               CASE WHEN reversed_kind = 'issue' THEN 'adjustment'
                    ELSE coalesce(reversed_kind, kind) END AS kind,
               CASE WHEN kind = 'return' AND quantity > 0 THEN quantity ELSE 0 END AS returned
        FROM told
        UNION ALL
        SELECT item_id, location_id, reversed_day, 0, 'demand', quantity FROM told
        WHERE reversed_kind = 'issue' OR (reversed_kind = 'return' AND quantity < 0)
    ), days AS (
        INSERT INTO consumption AS c (item_id, location_id, day, issued, returned, received,
                                      transferred, adjusted, counted)
        SELECT item_id, location_id, day,
               coalesce(-sum(quantity) FILTER (WHERE kind = 'issue'), 0),
               sum(returned),
               coalesce(sum(quantity) FILTER (WHERE kind = 'receipt'), 0),
               coalesce(sum(quantity) FILTER (WHERE kind = 'transfer'), 0),
               coalesce(sum(quantity) FILTER (
                   WHERE kind NOT IN ('issue', 'receipt', 'transfer', 'count_correction')), 0),
               coalesce(sum(quantity) FILTER (WHERE kind = 'count_correction'), 0)
        FROM moved GROUP BY 1, 2, 3 ORDER BY 1, 3, 2
        ON CONFLICT (tenant_id, item_id, day, location_id) DO UPDATE SET
            issued = c.issued + excluded.issued, returned = c.returned + excluded.returned,
            received = c.received + excluded.received,
            transferred = c.transferred + excluded.transferred,
            adjusted = c.adjusted + excluded.adjusted, counted = c.counted + excluded.counted
    )
    INSERT INTO levels AS v (item_id, location_id, on_hand)
    SELECT item_id, location_id, sum(quantity) FROM moved GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant_id, item_id, location_id) DO UPDATE SET
        on_hand = v.on_hand + excluded.on_hand""")
_CHANGE_LOTS = text("""
    INSERT INTO lots AS o (id, item_id, expires_on, on_hand)
    SELECT lot_id, item_id, (array_agg(expires_on ORDER BY n DESC))[1],
           coalesce(sum(quantity), 0)
    FROM ROWS FROM (json_to_recordset(CAST(:rows AS json)) AS (
        lot_id uuid, item_id uuid, expires_on date, quantity numeric
    )) WITH ORDINALITY AS r(lot_id, item_id, expires_on, quantity, n)
    GROUP BY 1, 2 ORDER BY 1
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        expires_on = excluded.expires_on, on_hand = o.on_hand + excluded.on_hand""")
_FIND_ITEMS = text("""
    SELECT id, code, code_key FROM items WHERE id = ANY(:ids)
    UNION
    (SELECT DISTINCT ON (code_key) id, code, code_key FROM items
     WHERE code_key = ANY(:keys) ORDER BY code_key, id)""")
_LIST_ITEMS = text("""
    SELECT id, code FROM items i
    WHERE code > :after_code AND EXISTS (SELECT FROM consumption c WHERE c.item_id = i.id)
    ORDER BY code LIMIT :limit""")
_TOP_ITEMS = text("""
    SELECT i.id, i.code FROM consumption c JOIN items i ON i.id = c.item_id
    WHERE c.day >= :since AND i.active
    GROUP BY i.id, i.code HAVING sum(c.issued - c.returned) > 0
    ORDER BY sum(c.issued - c.returned) DESC, i.code LIMIT :limit""")
_LEDGER_DAYS = text("""
    SELECT item_id, day, sum(issued), sum(returned), sum(received), sum(counted),
           sum(sum(received - issued + transferred + adjusted + counted))
               OVER (PARTITION BY item_id ORDER BY day)
    FROM consumption WHERE item_id = ANY(:items) AND day <= :last_day
    GROUP BY item_id, day ORDER BY item_id, day""")
_FOLLOWED_UNTIL = text("SELECT recorded_at FROM follower_cursors WHERE producer = :producer")
