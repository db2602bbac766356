"""What lay where at any moment: by sums of the ledger as far as there are any, then by its rows.

A snapshot (ADR 0043) is a stretch of the ledger by the time of recording, summed by the day on
which things happened. A question as of one time, as known at another, takes of all stretches that
were over by then the days that were over by then, and reads of the ledger what is left: the rows
of that last day, and the rows that were recorded after the last stretch. These parts share no row,
and leave none out, so the answer is the ledger's sum whichever snapshots there are. Months that
left the ledger (ADR 0049) are in no snapshot: of them the opening balances are added.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.queries.lock import RECORDED_MARGIN
from services.inventory.snapshots.rules import TOGETHER
from shared.principal import Places

MANY_LEVELS = 5_000  # At locations, from which on their list is made item by item.


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Which stock to list: then, at these locations, of items in this category; None: now, all."""

    as_of: datetime | None
    known_at: datetime | None
    locations: Places
    category_id: UUID | None = None


async def stock_as_of(
    session: AsyncSession,
    item_id: UUID,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
    places: Places,
) -> Sequence[RowMapping]:
    """Return what lay of an item at each of the places, by what had happened and been recorded."""
    parameters = {"item_id": item_id, "as_of": as_of, "known_at": known_at}
    return (await _fetch(session, _AS_OF, parameters, places)).mappings().all()


async def list_stock(
    session: AsyncSession, wanted: StockFilter, *, after: tuple[str] | None, limit: int
) -> Sequence[RowMapping]:
    """Return what lies or lay of each item at all the locations together, by the items' codes.

    Where little lies it goes by what has lain there, elsewhere item by item until the page is full.
    """
    parameters: dict[str, Any] = {
        "category_id": wanted.category_id,
        "after": after[0] if after else "",
        "limit": limit,
    }
    is_past = wanted.as_of is not None or wanted.known_at is not None
    if is_past:
        parameters |= {"as_of": wanted.as_of, "known_at": wanted.known_at}
    are_few = wanted.locations is not None and await _are_few(session, wanted.locations)
    statement = _LISTS[is_past, are_few]
    return (await _fetch(session, statement, parameters, wanted.locations)).mappings().all()


async def _are_few(session: AsyncSession, locations: Collection[UUID]) -> bool:
    parameters = {"locations": list(locations), "many": MANY_LEVELS}
    return bool(await session.scalar(_FEW, parameters))


async def _fetch(
    session: AsyncSession, statement: TextClause, parameters: dict[str, Any], places: Places
) -> CursorResult[Any]:
    parameters["places"] = None if places is None else list(places)
    await session.execute(_PLAN_ONCE)
    return await session.execute(statement, parameters)  # type: ignore[return-value]  # of a text.


# To plan it takes ten times as long as to answer, the ledger's months being many.
_PLAN_ONCE = text("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
# Nothing is recorded before it happens, so of a day only the months since then are read.
_MARGIN = f"interval '{RECORDED_MARGIN.total_seconds():.0f} seconds'"
# What was reserved then is not known: NULL, never 0. A hold tells what became of it, not when.
# Where the question cuts the ledger: at which snapshots, and before which month and day.
_EDGE = f"""
    edge AS MATERIALIZED (
        SELECT asked.*, coalesce(s.number, 0) AS number,
               coalesce(s.known_at, '-infinity') AS summed_at,
               coalesce(s.after_seq, 0) AS after_seq, coalesce(w.number, 0) AS whole,
               coalesce(w.known_at, '-infinity') AS whole_at,
               coalesce(w.after_seq, 0) AS after_whole,
               coalesce(n.upto_seq, {2**63 - 1}) AS upto_seq
        FROM (
            SELECT *, date_trunc('month', day)::date AS month
            FROM (
                SELECT coalesce(CAST(:as_of AS timestamptz), 'infinity') AS as_of,
                       coalesce(CAST(:known_at AS timestamptz), 'infinity') AS known_at,
                       coalesce((CAST(:as_of AS timestamptz) AT TIME ZONE 'UTC')::date, 'infinity')
                           AS day
            ) given
        ) asked
        LEFT JOIN LATERAL (
            SELECT * FROM snapshots WHERE made_at IS NOT NULL AND known_at <= asked.known_at
            ORDER BY number DESC LIMIT 1
        ) s ON true
        LEFT JOIN snapshots w ON w.number = s.number / {TOGETHER} * {TOGETHER}
        LEFT JOIN snapshots n ON n.number = coalesce(s.number, 0) + 1
            AND n.made_at IS NOT NULL AND n.known_at >= asked.known_at
    )"""  # noqa: S608 - of constants alone.
# First what left the ledger: nobody may ask of a time before all of that had been recorded.
# The edge's values as sub-queries of their own: row-level security lets no other condition use an
# index. Of each item months are taken of all snapshots that were summed together. What is left of
# a busy item is taken by days, of the last snapshots and of the month that was not over; of others
# it is a few rows.
_PARTS = f"""
    SELECT location_id, lot_id, quantity FROM opening_balances WHERE item_id = {{item}}
    UNION ALL
    SELECT p.* FROM (
        SELECT CASE WHEN is_busy THEN day_starts ELSE month_starts END AS starts,
               CASE WHEN is_busy THEN summed_at ELSE whole_at END AS summed_at,
               CASE WHEN is_busy THEN after_seq ELSE after_whole END AS after_seq
        FROM (
            SELECT *, (day::timestamp AT TIME ZONE 'UTC') AS day_starts,
                   (month::timestamp AT TIME ZONE 'UTC') AS month_starts,
                   EXISTS (SELECT FROM snapshot_sums
                           WHERE item_id = {{item}} AND grain = 'day') AS is_busy
            FROM edge
        ) e OFFSET 0
    ) c CROSS JOIN LATERAL (
        SELECT location_id, lot_id, quantity FROM snapshot_sums
        WHERE item_id = {{item}} AND grain = 'month' AND number <= (SELECT whole FROM edge)
            AND since < (SELECT month FROM edge)
        UNION ALL
        SELECT location_id, lot_id, quantity FROM snapshot_sums
        WHERE item_id = {{item}} AND grain = 'day' AND number > (SELECT whole FROM edge)
            AND number <= (SELECT number FROM edge) AND since < (SELECT day FROM edge)
        UNION ALL
        SELECT location_id, lot_id, quantity FROM snapshot_sums
        WHERE item_id = {{item}} AND grain = 'day' AND number <= (SELECT whole FROM edge)
            AND since >= (SELECT month FROM edge) AND since < (SELECT day FROM edge)
        UNION ALL
        SELECT location_id, lot_id, quantity FROM movements
        WHERE item_id = {{item}} AND occurred_at >= c.starts
            AND occurred_at <= (SELECT as_of FROM edge)
            AND recorded_at <= c.summed_at AND recorded_at >= c.starts - {_MARGIN}
        UNION ALL
        SELECT location_id, lot_id, quantity FROM movements
        WHERE item_id = {{item}} AND seq > c.after_seq AND seq <= (SELECT upto_seq FROM edge)
            AND recorded_at > c.summed_at AND recorded_at <= (SELECT known_at FROM edge)
            AND occurred_at <= (SELECT as_of FROM edge)
    ) p"""  # noqa: S608 - same.
_AT_PLACES = "(CAST(:places AS uuid[]) IS NULL OR location_id = ANY(CAST(:places AS uuid[])))"
_AS_OF = text(f"""
    WITH {_EDGE}, lying AS MATERIALIZED (
        SELECT location_id, lot_id, sum(quantity) AS on_hand
        FROM ({_PARTS.format(item=":item_id")}) parts
        WHERE {_AT_PLACES} GROUP BY 1, 2 HAVING sum(quantity) <> 0
    )
    SELECT l.name AS location, v.location_id, t.code AS lot, t.expires_on,
           sum(v.on_hand) AS on_hand, NULL::numeric AS reserved, NULL::numeric AS available
    FROM lying v JOIN locations l ON l.id = v.location_id
    JOIN items i ON i.id = CAST(:item_id AS uuid)
    LEFT JOIN lots t ON t.id = v.lot_id AND i.tracking <> 'serial'
    GROUP BY l.name, v.location_id, t.id, t.code, t.expires_on, t.received_at, t.key
    ORDER BY l.name, t.expires_on, t.received_at, t.key""")  # noqa: S608 - same.
_PAST = f"""
    SELECT sum(quantity) AS on_hand, NULL::numeric AS reserved, NULL::numeric AS available
    FROM ({_PARTS.format(item="i.id")}) parts WHERE {_AT_PLACES}"""  # noqa: S608 - same.
_NOW = f"""
    SELECT sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(available) AS available
    FROM levels_now WHERE item_id = i.id AND {_AT_PLACES}"""  # noqa: S608 - same.
# What has lain anywhere, or at the locations, is among the levels, and stays there.
_MOVED = f"SELECT FROM levels WHERE item_id = i.id AND {_AT_PLACES}"
_HELD = """
    held AS MATERIALIZED (
        SELECT DISTINCT item_id FROM levels WHERE location_id = ANY(CAST(:places AS uuid[]))
    )"""


def _listing(*, is_past: bool, are_few: bool) -> TextClause:
    tables = ([_EDGE] if is_past else []) + ([_HELD] if are_few else [])
    items = f"items i WHERE i.code > :after AND EXISTS ({_MOVED})"
    if are_few:
        items = """held h CROSS JOIN LATERAL (
            SELECT * FROM items WHERE id = h.item_id OFFSET 0) i WHERE i.code > :after"""
    return text(f"""
    {"WITH " + ", ".join(tables) if tables else ""}
    SELECT i.id AS item_id, i.code, i.name_en, i.name_fr, i.unit, t.on_hand, t.reserved,
           t.available
    FROM (SELECT i.* FROM {items} ORDER BY i.code OFFSET 0) i
    CROSS JOIN LATERAL ({_PAST if is_past else _NOW}) t
    WHERE t.on_hand <> 0 AND (
        CAST(:category_id AS uuid) IS NULL OR i.category_id = ANY(ARRAY(
            WITH RECURSIVE within AS (
                SELECT id FROM categories WHERE id = :category_id
                UNION
                SELECT c.id FROM categories c JOIN within w ON c.parent_id = w.id
            ) SELECT id FROM within)))
    ORDER BY i.code LIMIT :limit""")  # noqa: S608 - same.


_LISTS = {
    (is_past, are_few): _listing(is_past=is_past, are_few=are_few)
    for is_past in (True, False)
    for are_few in (True, False)
}
_FEW = text("""
    SELECT count(*) < :many FROM (
        SELECT FROM levels WHERE location_id = ANY(CAST(:locations AS uuid[])) LIMIT :many) v""")
