from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.kits.models import Kit, KitComponent
from services.inventory.kits.rules import Component
from shared.principal import Places


async def lock_structure(session: AsyncSession) -> None:
    """Let changes of what is made of what take turns: two could close a circle."""
    await session.execute(_LOCK_STRUCTURE)


async def lock_kit(session: AsyncSession, kit_id: UUID) -> Kit | None:
    return await session.scalar(select(Kit).where(Kit.item_id == kit_id).with_for_update())


async def hold_kit(session: AsyncSession, kit_id: UUID) -> Kit | None:
    """Return the kit, which is made of the same until the transaction ends."""
    query = select(Kit).where(Kit.item_id == kit_id)
    return await session.scalar(query.with_for_update(read=True))


async def replace_components(
    session: AsyncSession, kit_id: UUID, components: Sequence[Component]
) -> None:
    """Let a kit be made of these and nothing else."""
    await session.execute(delete(KitComponent).where(KitComponent.kit_id == kit_id))
    session.add_all(
        KitComponent(kit_id=kit_id, item_id=each.item_id, quantity=each.quantity)
        for each in components
    )
    await session.flush()


async def find_within(
    session: AsyncSession, kit_id: UUID, item_ids: Collection[UUID]
) -> UUID | None:
    """Return which of these items is a kit or made of it on any level, if one is."""
    names = {"kit_id": kit_id, "item_ids": list(item_ids)}
    found: UUID | None = await session.scalar(_WITHIN, names)
    return found


async def is_too_deep(
    session: AsyncSession, kit_id: UUID, item_ids: Collection[UUID], *, most: int
) -> bool:
    """Say whether a kit made of these items would close a chain of more levels of kits than that.

    Counts the kits that it is in, on the longest way, and those within the items.
    """
    names = {"kit_id": kit_id, "item_ids": list(item_ids), "most": most}
    return bool(await session.scalar(_TOO_DEEP, names))


async def list_structure(session: AsyncSession, kit_id: UUID) -> dict[UUID, list[Component]]:
    """Return the components of a kit, and of every kit within it, by kit."""
    structure: dict[UUID, list[Component]] = {}
    for row in await session.execute(_STRUCTURE, {"kit_id": kit_id}):
        structure.setdefault(row.kit_id, []).append(Component(row.item_id, row.quantity))
    return structure


async def list_kits(
    session: AsyncSession,
    *,
    component: tuple[UUID | None, str | None] | None = None,
    after: tuple[str] | None = None,
    only: UUID | None = None,
    limit: int = 1,
) -> Sequence[RowMapping]:
    """Return kits with the names of their items, in the order of the codes."""
    names = {
        "after": after[0] if after else "",
        "only": only,
        "filters": component is not None,
        "item_id": component[0] if component else None,
        "item_key": component[1] if component else None,
        "limit": limit,
    }
    return (await session.execute(_LIST, names)).mappings().all()


async def list_components(session: AsyncSession, kit_ids: Collection[UUID]) -> Sequence[RowMapping]:
    """Return the components of these kits with the names of the items, by their codes."""
    rows = await session.execute(_COMPONENTS, {"kit_ids": list(kit_ids)})
    return rows.mappings().all()


async def sum_available(
    session: AsyncSession, item_ids: Collection[UUID], *, places: Places
) -> Mapping[UUID, Decimal]:
    """Return what may be taken of these items at the places together; nothing that has expired."""
    known = None if places is None else list(places)
    rows = await session.execute(_AVAILABLE, {"item_ids": list(item_ids), "places": known})
    return {row.item_id: row.available for row in rows}


async def find_lot_expiry(
    session: AsyncSession, item_id: UUID, key: str
) -> tuple[date | None] | None:
    """Return on which day a lot of an item expires, if it has one so called."""
    row = (await session.execute(_LOT_EXPIRY, {"item_id": item_id, "key": key})).one_or_none()
    return None if row is None else (row.expires_on,)


class Costed(NamedTuple):
    """An item with its unit cost, sealed: the one set for it, else the latest that it came at.

    None where it has neither.
    """

    code: str
    cost_id: UUID | None
    amount: bytes | None


async def find_costs(session: AsyncSession, item_ids: Collection[UUID]) -> dict[UUID, Costed]:
    rows = await session.execute(_COSTS, {"item_ids": list(item_ids)})
    return {row.id: Costed(row.code, row.cost_id, row.amount) for row in rows}


_LOCK_STRUCTURE = text("SELECT wait_lock('kits ' || current_setting('app.tenant', true))")
_WITHIN = text("""
    WITH RECURSIVE below AS (
        SELECT id AS root, id FROM unnest(CAST(:item_ids AS uuid[])) AS asked(id)
        UNION
        SELECT b.root, c.item_id FROM kit_components c JOIN below b ON c.kit_id = b.id
    ) SELECT root FROM below WHERE id = :kit_id ORDER BY root LIMIT 1""")
# Each kit once a level, and not many more levels than may be.
_TOO_DEEP = text("""
    WITH RECURSIVE above AS (
        SELECT CAST(:kit_id AS uuid) AS id, 1 AS levels
        UNION
        SELECT c.kit_id, a.levels + 1 FROM kit_components c JOIN above a ON c.item_id = a.id
        WHERE a.levels <= :most
    ), below AS (
        SELECT item_id AS id, 1 AS levels FROM kits
        WHERE item_id = ANY(CAST(:item_ids AS uuid[]))
        UNION
        SELECT k.item_id, b.levels + 1 FROM kit_components c JOIN below b ON c.kit_id = b.id
        JOIN kits k ON k.item_id = c.item_id
        WHERE b.levels <= :most
    )
    SELECT (SELECT max(levels) FROM above) + (SELECT coalesce(max(levels), 0) FROM below) > :most
    """)
_STRUCTURE = text("""
    WITH RECURSIVE below AS (
        SELECT CAST(:kit_id AS uuid) AS id
        UNION
        SELECT c.item_id FROM kit_components c JOIN below b ON c.kit_id = b.id
    )
    SELECT c.kit_id, c.item_id, c.quantity FROM kit_components c JOIN below b ON c.kit_id = b.id
    ORDER BY c.kit_id, c.item_id""")
_LIST = text("""
    SELECT k.item_id AS id, i.code AS item, i.name_en, i.name_fr, k.version, k.created_at,
           k.updated_at
    FROM kits k JOIN items i ON i.id = k.item_id
    WHERE i.code > :after AND (CAST(:only AS uuid) IS NULL OR k.item_id = :only)
        AND (NOT :filters OR k.item_id IN (
            SELECT kit_id FROM kit_components WHERE item_id = coalesce(
                CAST(:item_id AS uuid), (SELECT item_id FROM identifiers WHERE key = :item_key))))
    ORDER BY i.code LIMIT :limit""")
_COMPONENTS = text("""
    SELECT c.kit_id, i.code AS item, c.item_id, i.name_en, i.name_fr, c.quantity, i.unit,
           EXISTS (SELECT FROM kits WHERE item_id = c.item_id) AS is_kit
    FROM kit_components c JOIN items i ON i.id = c.item_id
    WHERE c.kit_id = ANY(CAST(:kit_ids AS uuid[])) ORDER BY i.code""")
_AVAILABLE = text("""
    SELECT v.item_id, sum(v.available) AS available
    FROM levels_now v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = ANY(CAST(:item_ids AS uuid[])) AND v.available > 0 AND l.active
        AND (CAST(:places AS uuid[]) IS NULL OR v.location_id = ANY(CAST(:places AS uuid[])))
    GROUP BY v.item_id""")
_LOT_EXPIRY = text("SELECT expires_on FROM lots WHERE item_id = :item_id AND key = :key")
_COSTS = text("""
    SELECT i.id, i.code, p.id AS cost_id, p.amount
    FROM items i LEFT JOIN prices p ON p.id = coalesce(i.cost_id, (
        SELECT id FROM prices WHERE item_id = i.id AND kind = 'cost'
        ORDER BY recorded_at DESC LIMIT 1))
    WHERE i.id = ANY(CAST(:item_ids AS uuid[]))""")
