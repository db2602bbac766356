from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.principal import Places

MANY_LINES = 5_000  # Of stock in a location, from which on its list is made item by item.


async def list_low(
    session: AsyncSession,
    language: str,
    *,
    below: str | None,
    after: tuple[str] | None,
    places: Places,
    limit: int,
) -> Sequence[RowMapping]:
    """Return active items that are low over all these places together, by their codes."""
    parameters: dict[str, Any] = {
        "language": language,
        "below": below,
        "after": after[0] if after else "",
        "places": None if places is None else list(places),
        "limit": limit,
    }
    return (await session.execute(_LOW, parameters)).mappings().all()


async def list_low_at(
    session: AsyncSession,
    language: str,
    location_id: UUID,
    within: Collection[UUID],
    *,
    below: str | None,
    after: tuple[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return active items that are low in a location, with all that lies in it, by their codes.

    Where much lies it goes item by item in the order of the list, until the page is full; where
    little does, by what has lain there.
    """
    lines = await session.scalar(_LINES, {"within": list(within), "many": MANY_LINES})
    statement = _LOW_AT_MANY if lines == MANY_LINES else _LOW_AT_FEW
    parameters: dict[str, Any] = {
        "language": language,
        "below": below,
        "after": after[0] if after else "",
        "location_id": location_id,
        "within": list(within),
        "limit": limit,
    }
    return (await session.execute(statement, parameters)).mappings().all()


_IS_TRANSIT = "v.location_id = ANY(ARRAY(SELECT id FROM locations WHERE type = 'transit'))"
_COLUMNS = """
    i.id, i.code, CASE :language WHEN 'fr' THEN coalesce(i.name_fr, i.name_en)
        ELSE coalesce(i.name_en, i.name_fr) END AS name,
    (SELECT CASE :language WHEN 'fr' THEN coalesce(c.name_fr, c.name_en)
        ELSE coalesce(c.name_en, c.name_fr) END
     FROM categories c WHERE c.id = i.category_id) AS category,
    i.category_id, i.unit, i.lead_time_days, i.pack_size, i.pack_unit, i.active, i.updated_at,
    t.on_hand, t.reserved, t.available, t.in_transit, t.par_level,
    t.reorder_point, t.reorder_quantity, t.maximum,
    CASE WHEN t.available <= t.reorder_point THEN 'reorder_point' ELSE 'par_level' END
        AS below,
    greatest(coalesce(t.par_level, t.reorder_point) - t.available, 0) AS shortfall"""
_IS_LOW = """
    (t.available <= t.reorder_point AND coalesce(:below, '') <> 'par_level'
     OR t.available < t.par_level AND coalesce(:below, '') <> 'reorder_point')"""
# Item by item in the order of the list, so that a page ends as soon as it is full.
_LOW = text(f"""
    SELECT {_COLUMNS}, NULL AS location, NULL AS location_id FROM items i
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved,
               coalesce(sum(available), 0) AS available,
               coalesce(sum(on_hand) FILTER (WHERE {_IS_TRANSIT}), 0) AS in_transit,
               i.par_level, i.reorder_point, i.reorder_quantity, i.maximum
        FROM levels_now v WHERE item_id = i.id
            AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))
    ) t
    WHERE i.active AND (i.reorder_point IS NOT NULL OR i.par_level IS NOT NULL)
        AND i.code > :after AND {_IS_LOW}
    ORDER BY i.code LIMIT :limit""")  # noqa: S608 - of constants alone.
_LINES = text("""
    SELECT count(*) FROM (SELECT FROM levels WHERE location_id = ANY(CAST(:within AS uuid[]))
                          LIMIT :many) v""")
_HOLDS_THERE = """
    CROSS JOIN LATERAL (SELECT * FROM locations WHERE id = :location_id) l
    CROSS JOIN LATERAL (
        SELECT {held}.on_hand, {held}.reserved, {held}.available,
               CASE WHEN l.type = 'transit' THEN {held}.on_hand ELSE 0 END AS in_transit,
               coalesce(p.par_level, i.par_level) AS par_level,
               coalesce(p.reorder_point, i.reorder_point) AS reorder_point,
               coalesce(p.reorder_quantity, i.reorder_quantity) AS reorder_quantity,
               coalesce(p.maximum, i.maximum) AS maximum
    ) t"""
_LOW_AT_MANY = text(f"""
    SELECT {_COLUMNS}, l.name AS location, l.id AS location_id FROM items i
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved,
               coalesce(sum(available), 0) AS available, count(*) AS lines
        FROM levels_now v WHERE item_id = i.id AND v.location_id = ANY(CAST(:within AS uuid[]))
    ) h
    LEFT JOIN LATERAL (
        SELECT * FROM planning WHERE item_id = i.id AND location_id = :location_id OFFSET 0
    ) p ON true
    {_HOLDS_THERE.format(held="h")}
    WHERE i.active AND i.code > :after AND (h.lines > 0 OR p.item_id IS NOT NULL) AND {_IS_LOW}
    ORDER BY i.code LIMIT :limit""")  # noqa: S608 - of constants alone.
# Ids are made in a step of their own: row-level security lets only plain conditions use an index.
_LOW_AT_FEW = text(f"""
    WITH held AS MATERIALIZED (
        SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved,
               sum(available) AS available
        FROM levels_now WHERE location_id = ANY(CAST(:within AS uuid[])) GROUP BY item_id
    ), planned AS MATERIALIZED (
        SELECT * FROM planning WHERE location_id = :location_id
    )
    SELECT {_COLUMNS}, l.name AS location, l.id AS location_id
    FROM (
        SELECT coalesce(h.item_id, w.item_id) AS item_id, coalesce(on_hand, 0) AS on_hand,
               coalesce(reserved, 0) AS reserved, coalesce(available, 0) AS available,
               par_level, reorder_point, reorder_quantity, maximum
        FROM held h FULL JOIN planned w ON w.item_id = h.item_id OFFSET 0
    ) p
    CROSS JOIN LATERAL (SELECT * FROM items WHERE id = p.item_id OFFSET 0) i
    {_HOLDS_THERE.format(held="p")}
    WHERE i.active AND i.code > :after AND {_IS_LOW}
    ORDER BY i.code LIMIT :limit""")  # noqa: S608 - same.
