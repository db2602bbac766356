"""Kits as callers see them, and how many could be made."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.kits import queries
from services.inventory.kits.errors import KitNotFound
from services.inventory.kits.rules import Structure, assemblable, components_of, makeable
from services.inventory.kits.schemas import (
    ComponentAvailability,
    KitAvailability,
    KitAvailabilityQuery,
    KitPage,
    KitQuery,
    KitRead,
)
from services.inventory.ledger.rules import item_reference
from services.inventory.locations.service import get_named_location, list_within, places_of
from shared.i18n.localised import said_in
from shared.pagination import Keyset
from shared.principal import Principal

_BY_CODE = Keyset("code", str)
_NOTHING = Decimal(0)


async def get_kit(session: AsyncSession, kit_id: UUID, *, language: str) -> KitRead:
    """Return the kit. Raises KitNotFound."""
    rows = await queries.list_kits(session, only=kit_id)
    if not rows:
        raise KitNotFound
    [kit] = await to_read(session, rows, language)
    return kit


async def list_kits(session: AsyncSession, wanted: KitQuery, *, language: str) -> KitPage:
    """Return one page of kits by their codes. Raises InvalidCursor."""
    component = None if wanted.component is None else item_reference(wanted.component)
    rows = await queries.list_kits(
        session,
        component=None if component is None else (component.id, component.key),
        after=_BY_CODE.after(wanted.cursor),
        limit=wanted.limit + 1,
    )
    page, next_cursor = _BY_CODE.page(rows, wanted.limit, lambda row: (row["item"],))
    return KitPage(items=await to_read(session, page, language), next_cursor=next_cursor)


async def get_availability(
    session: AsyncSession,
    kit_id: UUID,
    wanted: KitAvailabilityQuery,
    *,
    caller: Principal,
    language: str,
) -> KitAvailability:
    """Return how many of a kit are there and how many could be made.

    Raises KitNotFound, LocationNotFound.
    """
    kit = await get_kit(session, kit_id, language=language)
    places, location = await places_of(session, caller), None
    if wanted.location is not None:
        found = await get_named_location(session, wanted.location, places=places)
        location, places = found.name, frozenset(await list_within(session, found.id))
    structure = await queries.list_structure(session, kit_id)
    items = {kit_id, *(part.item_id for parts in structure.values() for part in parts)}
    available = await queries.sum_available(session, items, places=places)

    def _part(fields: dict[str, Any]) -> ComponentAvailability:
        there = available.get(fields["item_id"], _NOTHING)
        enough_for = there // fields["quantity"]
        return ComponentAvailability(**fields, available=there, enough_for=enough_for)

    return KitAvailability(
        id=kit.id,
        item=kit.item,
        location=location,
        available=available.get(kit_id, _NOTHING),
        assemblable=_assemblable(kit_id, structure, available, explode=False),
        assemblable_exploded=_assemblable(kit_id, structure, available, explode=True),
        assemblable_in_steps=Decimal(makeable(kit_id, structure, available)),
        components=[_part(dict(part)) for part in kit.components],
    )


def _assemblable(
    kit_id: UUID, structure: Structure, available: Mapping[UUID, Decimal], *, explode: bool
) -> Decimal:
    return assemblable(components_of(kit_id, structure, explode=explode), available)


async def to_read(
    session: AsyncSession, rows: Sequence[RowMapping], language: str
) -> list[KitRead]:
    """Return kits with their components."""
    components: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in await queries.list_components(session, [row["id"] for row in rows]):
        components[row["kit_id"]].append(_named(row, language))
    return [
        KitRead.model_validate(_named(row, language) | {"components": components[row["id"]]})
        for row in rows
    ]


def _named(row: RowMapping, language: str) -> dict[str, Any]:
    return {**row, "name": said_in(language, row["name_en"], row["name_fr"])}
