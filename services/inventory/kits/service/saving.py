"""Saying what items are made of."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import StaleCause
from services.inventory.freezes import service as freezes
from services.inventory.items.models import Item
from services.inventory.items.service import get_item, get_named_items
from services.inventory.kits import queries
from services.inventory.kits.errors import (
    ComponentTwice,
    KitExists,
    KitInItself,
    KitNotFound,
    KitTooDeep,
)
from services.inventory.kits.models import Kit
from services.inventory.kits.rules import LEVELS_MAX, Component
from services.inventory.kits.schemas import ComponentCreate, KitCreate, KitRead, KitReplace
from services.inventory.kits.service.reading import get_kit, to_read
from services.inventory.ledger import service as ledger
from shared import journal
from shared.contracts.inventory.kits import KitPart, KitRemoved, KitSaved
from shared.etag import require_match


async def add_kit(
    session: AsyncSession, wanted: KitCreate, *, language: str, now: datetime
) -> KitRead:
    """Let an item be made of others.

    Raises ItemNotFound, UnknownUnit, QuantityInexact, ComponentTwice, KitExists, KitInItself,
    KitTooDeep, Frozen.
    """
    await freezes.require_thawed(session)
    [(item, _)] = await get_named_items(session, [wanted.item])
    await freezes.require_not_frozen(session, item.frozen_by)
    await queries.lock_structure(session)
    if await queries.lock_kit(session, item.id) is not None:
        raise KitExists(item=item.code)
    kit = Kit(item_id=item.id, version=1, created_at=now, updated_at=now)
    session.add(kit)
    await session.flush()
    await _save(session, item, wanted.components)
    [saved] = await to_read(session, await queries.list_kits(session, only=item.id), language)
    return saved


async def replace_kit(
    session: AsyncSession,
    kit_id: UUID,
    wanted: KitReplace,
    if_match: str | None,
    *,
    language: str,
    now: datetime,
) -> KitRead:
    """Let a kit be made of these components and no others.

    Raises KitNotFound, PreconditionFailed, and what `add_kit` raises of components.
    """
    await freezes.require_thawed(session, alone=True)
    await queries.lock_structure(session)
    kit = await _lock(session, kit_id)
    require_match(if_match, kit.version)
    item = await get_item(session, kit_id)
    await freezes.require_not_frozen(session, item.frozen_by)
    kit.version, kit.updated_at = kit.version + 1, now
    await _save(session, item, wanted.components)
    await approvals.close_overtaken(session, [kit_id], StaleCause.CONTENT, now=now)
    return await get_kit(session, kit_id, language=language)


async def remove_kit(
    session: AsyncSession, kit_id: UUID, if_match: str | None, *, now: datetime
) -> None:
    """Let an item be made of nothing any more; what was assembled stays.

    Raises KitNotFound, PreconditionFailed, Frozen.
    """
    await freezes.require_thawed(session, alone=True)
    kit = await _lock(session, kit_id)
    require_match(if_match, kit.version)
    item = await get_item(session, kit_id)
    await freezes.require_not_frozen(session, item.frozen_by)
    await session.delete(kit)
    await approvals.close_overtaken(session, [kit_id], StaleCause.OVER, now=now)
    journal.record(session, KitRemoved(item_id=kit_id))


async def _lock(session: AsyncSession, kit_id: UUID) -> Kit:
    kit = await queries.lock_kit(session, kit_id)
    if kit is None:
        raise KitNotFound
    return kit


async def _save(session: AsyncSession, item: Item, wanted: Sequence[ComponentCreate]) -> None:
    named = await get_named_items(session, [each.item for each in wanted])
    components: dict[UUID, Component] = {}
    for (part, unit), given in zip(named, wanted, strict=True):
        if part.id in components:
            raise ComponentTwice(component=part.code)
        quantity = ledger.in_stock_units(part, given.quantity, given.unit or unit)
        components[part.id] = Component(part.id, quantity)
    inner = await queries.find_within(session, item.id, list(components))
    if inner is not None:
        found = next(part.code for part, _ in named if part.id == inner)
        raise KitInItself(item=item.code, component=found)
    if await queries.is_too_deep(session, item.id, list(components), most=LEVELS_MAX):
        raise KitTooDeep(item=item.code, levels=LEVELS_MAX)
    await queries.replace_components(session, item.id, list(components.values()))
    parts = [KitPart(item_id=each.item_id, quantity=each.quantity) for each in components.values()]
    journal.record(session, KitSaved(item_id=item.id, components=parts))
