"""What was issued, and which levels are to be counted next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.counts.queries.rows import Covered
from services.inventory.ledger.rules import NO_LOT

After = tuple[datetime, UUID, UUID, UUID]  # When it is due, item, location and lot.


class Intervals(NamedTuple):
    """After how many days items are to be counted again: some by their ids, and all others."""

    days: Mapping[UUID, int]
    others: int


async def sum_issued(
    session: AsyncSession, covered: Covered, *, since: datetime
) -> Sequence[RowMapping]:
    """Return by item how much was issued there since then, with its sealed unit cost."""
    names = {"places": _list(covered.places), "since": since}
    return (await session.execute(_ISSUED, names)).mappings().all()


async def list_due(
    session: AsyncSession,
    covered: Covered,
    intervals: Intervals,
    *,
    is_due: bool | None,
    now: datetime,
    after: After | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return levels with stock by when they are to be counted, so many days after they last were.

    What was never counted comes first, of what is to be counted more often before the rest.
    """
    due_at, *level = after or (None, None, None, None)
    days = {str(item_id): each for item_id, each in intervals.days.items()}
    names = {
        "places": _list(covered.places),
        "categories": _list(covered.categories),
        "items": _list(covered.items),
        "days": orjson.dumps(days).decode(),
        "other_days": intervals.others,
        "is_due": is_due,
        "now": now,
        "no_lot": NO_LOT,
        "after": due_at,
        "after_item": level[0],
        "after_location": level[1],
        "after_lot": level[2],
        "limit": limit,
    }
    return (await session.execute(_DUE, names)).mappings().all()


def _list(ids: frozenset[UUID] | None) -> list[UUID] | None:
    return None if ids is None else list(ids)


_ISSUED = text("""
    SELECT s.item_id, s.issued, i.cost_id, r.amount AS cost_sealed
    FROM (
        SELECT m.item_id, -sum(m.quantity) AS issued FROM movements m
        WHERE m.kind = 'issue' AND m.occurred_at >= :since AND m.recorded_at >= :since
            AND (CAST(:places AS uuid[]) IS NULL OR m.location_id = ANY(CAST(:places AS uuid[])))
            AND NOT EXISTS (SELECT FROM reversals b WHERE b.movement_id = m.id)
        GROUP BY 1
    ) s
    CROSS JOIN LATERAL (SELECT cost_id FROM items WHERE id = s.item_id OFFSET 0) i
    LEFT JOIN LATERAL (SELECT amount FROM prices WHERE id = i.cost_id OFFSET 0) r ON true""")
# The days of items stand in one value, which is read once and looked into for each level.
_DUE = text("""
    WITH known AS MATERIALIZED (SELECT CAST(CAST(:days AS text) AS jsonb) AS days)
    SELECT d.*
    FROM (
        SELECT v.item_id, i.code AS item, v.location_id, l.name AS location, v.lot_id,
               t.code AS lot, k.counted_at AS last_counted_at,
               coalesce(k.counted_at, to_timestamp(0)) + make_interval(days => n.days) AS due_at
        FROM levels v
        CROSS JOIN LATERAL (
            SELECT code, tracking, category_id FROM items WHERE id = v.item_id OFFSET 0
        ) i
        CROSS JOIN LATERAL (SELECT name, type FROM locations WHERE id = v.location_id OFFSET 0) l
        LEFT JOIN LATERAL (SELECT code FROM lots WHERE id = v.lot_id OFFSET 0) t ON true
        CROSS JOIN LATERAL (
            SELECT greatest(max(m.occurred_at), (
                SELECT max(counted_at) FROM opening_balances WHERE item_id = v.item_id
                    AND location_id = v.location_id AND lot_id = v.lot_id)) AS counted_at
            FROM movements m
            WHERE m.kind = 'count_correction' AND m.item_id = v.item_id
                AND m.location_id = v.location_id AND m.lot_id = v.lot_id
                AND NOT EXISTS (SELECT FROM reversals b WHERE b.movement_id = m.id)
        ) k
        CROSS JOIN LATERAL (
            SELECT coalesce(CAST((SELECT days FROM known) ->> CAST(v.item_id AS text) AS int),
                            CAST(:other_days AS int)) AS days
        ) n
        WHERE v.on_hand > 0 AND l.type <> 'transit'
            AND (i.tracking = 'none' OR i.tracking = 'lot' AND v.lot_id <> CAST(:no_lot AS uuid))
            AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))
            AND (CAST(:categories AS uuid[]) IS NULL
                 OR i.category_id = ANY(CAST(:categories AS uuid[])))
            AND (CAST(:items AS uuid[]) IS NULL OR v.item_id = ANY(CAST(:items AS uuid[])))
    ) d
    WHERE (CAST(:is_due AS bool) IS NULL OR (d.due_at <= :now) = CAST(:is_due AS bool))
        AND (CAST(:after AS timestamptz) IS NULL
             OR (d.due_at, d.item_id, d.location_id, d.lot_id)
                > (CAST(:after AS timestamptz), CAST(:after_item AS uuid),
                   CAST(:after_location AS uuid), CAST(:after_lot AS uuid)))
    ORDER BY d.due_at, d.item_id, d.location_id, d.lot_id LIMIT :limit""")
