"""Counts themselves, and the lines that one begins with."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.counts.models import Count, CountLine
from services.inventory.ledger.rules import NO_LOT, Reference
from shared.principal import Places


class Covered(NamedTuple):
    """Which levels to look at; None means any."""

    places: Places = None
    categories: frozenset[UUID] | None = None
    items: frozenset[UUID] | None = None

    def has(self, item_id: UUID, category_id: UUID | None, place_id: UUID) -> bool:
        """Say whether an item at a location is covered."""
        return (
            (self.places is None or place_id in self.places)
            and (self.categories is None or category_id in self.categories)
            and (self.items is None or item_id in self.items)
        )


async def find_count(
    session: AsyncSession, count_id: UUID, *, places: Places, actor: str, is_locked: bool
) -> Count | None:
    """Return a count that has a line at the places, or that the actor opened.

    Locked, nobody else enters anything or closes it until the transaction ends.
    """
    query = select(Count).where(Count.id == count_id)
    if places is not None:
        query = query.where(_is_known(places, actor))
    if is_locked:
        query = query.with_for_update(key_share=True)
    return await session.scalar(query.execution_options(populate_existing=True))


async def list_counts(
    session: AsyncSession,
    *,
    state: str | None,
    places: Places,
    actor: str,
    before_id: UUID | None,
    limit: int,
) -> Sequence[Count]:
    """Return such counts, newest first."""
    query = select(Count).order_by(Count.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Count.state == state)
    if places is not None:
        query = query.where(_is_known(places, actor))
    if before_id is not None:
        query = query.where(Count.id < before_id)
    return (await session.scalars(query)).all()


async def has_lines_elsewhere(session: AsyncSession, count_id: UUID, *, places: Places) -> bool:
    """Say whether a count has lines at other locations than the places."""
    if places is None:
        return False
    names = {"count_id": count_id, "places": list(places)}
    return bool(await session.scalar(_ELSEWHERE, names))


async def list_progress(
    session: AsyncSession, count_ids: Collection[UUID], *, places: Places
) -> dict[UUID, RowMapping]:
    """Return how many lines the counts have at the places, and how many have a figure."""
    names = {"ids": list(count_ids), "places": None if places is None else list(places)}
    rows = await session.execute(_PROGRESS, names)
    return {row["count_id"]: row for row in rows.mappings()}


async def find_item_ids(session: AsyncSession, items: Sequence[Reference]) -> list[UUID | None]:
    """Return the ids of these items in their order; None where there is none."""
    names = {"ids": [item.id for item in items], "keys": [item.key for item in items]}
    return [row.id for row in await session.execute(_ITEM_IDS, names)]


async def list_categories_within(session: AsyncSession, roots: Collection[UUID]) -> frozenset[UUID]:
    """Return these categories, and all that lie in them."""
    rows = await session.scalars(_CATEGORIES_WITHIN, {"ids": list(roots)})
    return frozenset(rows)


async def list_names(
    session: AsyncSession, scope: Mapping[str, Collection[UUID]], language: str
) -> Sequence[RowMapping]:
    """Return the names of locations, categories and items, in their order: kind, id, name."""
    names = {kind: list(ids) for kind, ids in scope.items()} | {"is_french": language == "fr"}
    return (await session.execute(_NAMES, names)).mappings().all()


async def list_levels(
    session: AsyncSession, covered: Covered, *, limit: int
) -> Sequence[RowMapping]:
    """Return the levels with stock that are covered."""
    names = {
        "places": None if covered.places is None else list(covered.places),
        "categories": None if covered.categories is None else list(covered.categories),
        "items": None if covered.items is None else list(covered.items),
        "no_lot": NO_LOT,
        "limit": limit,
    }
    return (await session.execute(_LEVELS, names)).mappings().all()


async def add_lines(
    session: AsyncSession,
    count_id: UUID,
    levels: Sequence[tuple[UUID, UUID, UUID]],
    *,
    first: int,
    is_found: bool,
    unseen: Mapping[UUID, str] = MappingProxyType({}),
) -> None:
    """Add a line for each of the levels, numbered from `first` on.

    `unseen` are the serials among them that were never seen, by their ids.
    """
    if not levels:
        return
    columns = [list(column) for column in zip(*levels, strict=True)]
    names: dict[str, Any] = {"count_id": count_id, "first": first, "is_found": is_found}
    names |= dict(zip(("items", "locations", "lots"), columns, strict=True))
    names["serials"] = [unseen.get(lot_id) for _, _, lot_id in levels]
    await session.execute(_ADD_LINES, names)


def _is_known(places: frozenset[UUID], actor: str) -> Any:  # noqa: ANN401 - a condition of SQLAlchemy.
    of_it = (CountLine.count_id == Count.id) & CountLine.location_id.in_(places)
    return exists().where(of_it) | (Count.opened_by == actor)


_ELSEWHERE = text("""
    SELECT EXISTS (SELECT FROM count_lines
                   WHERE count_id = :count_id AND location_id <> ALL(CAST(:places AS uuid[])))""")
_PROGRESS = text("""
    SELECT count_id, count(*) AS lines, count(counted) AS counted FROM count_lines
    WHERE count_id = ANY(CAST(:ids AS uuid[]))
        AND (CAST(:places AS uuid[]) IS NULL OR location_id = ANY(CAST(:places AS uuid[])))
    GROUP BY 1""")
_ITEM_IDS = text("""
    SELECT (SELECT id FROM items WHERE id = coalesce(
        w.id, (SELECT item_id FROM identifiers WHERE key = w.key))) AS id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[])) WITH ORDINALITY AS w(id, key, n)
    ORDER BY n""")
_CATEGORIES_WITHIN = text("""
    WITH RECURSIVE within AS (
        SELECT id FROM categories WHERE id = ANY(CAST(:ids AS uuid[]))
        UNION
        SELECT c.id FROM categories c JOIN within w ON c.parent_id = w.id
    ) SELECT id FROM within""")
_NAMES = text("""
    SELECT 'locations' AS kind, l.id, l.name, w.n
    FROM unnest(CAST(:locations AS uuid[])) WITH ORDINALITY AS w(id, n) JOIN locations l USING (id)
    UNION ALL
    SELECT 'categories', c.id, CASE WHEN :is_french THEN coalesce(c.name_fr, c.name_en)
                                    ELSE coalesce(c.name_en, c.name_fr) END, w.n
    FROM unnest(CAST(:categories AS uuid[])) WITH ORDINALITY AS w(id, n)
    JOIN categories c USING (id)
    UNION ALL
    SELECT 'items', i.id, i.code, w.n
    FROM unnest(CAST(:items AS uuid[])) WITH ORDINALITY AS w(id, n) JOIN items i USING (id)
    ORDER BY n""")
_LEVELS = text("""
    SELECT v.item_id, i.code AS item, v.location_id, l.name AS location, v.lot_id, t.code AS lot
    FROM levels v
    CROSS JOIN LATERAL (
        SELECT code, tracking, category_id FROM items WHERE id = v.item_id OFFSET 0
    ) i
    CROSS JOIN LATERAL (SELECT name, type FROM locations WHERE id = v.location_id OFFSET 0) l
    LEFT JOIN LATERAL (SELECT code FROM lots WHERE id = v.lot_id OFFSET 0) t ON true
    WHERE v.on_hand > 0 AND l.type <> 'transit'
        AND (i.tracking = 'none' OR v.lot_id <> CAST(:no_lot AS uuid))
        AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))
        AND (CAST(:categories AS uuid[]) IS NULL
             OR i.category_id = ANY(CAST(:categories AS uuid[])))
        AND (CAST(:items AS uuid[]) IS NULL OR v.item_id = ANY(CAST(:items AS uuid[])))
    LIMIT :limit""")
_ADD_LINES = text("""
    INSERT INTO count_lines (count_id, number, item_id, location_id, lot_id, serial, found)
    SELECT :count_id, :first + n - 1, item_id, location_id, lot_id, serial, :is_found
    FROM unnest(CAST(:items AS uuid[]), CAST(:locations AS uuid[]), CAST(:lots AS uuid[]),
                CAST(:serials AS text[]))
        WITH ORDINALITY AS w(item_id, location_id, lot_id, serial, n)""")
