"""Keeping what stock is worth while inventory's journal is followed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.inventory_value import queries
from services.reporting.inventory_value.queries import SealedAssembly, SealedPosition
from services.reporting.inventory_value.rules import (
    RECEIPT,
    TRANSFER,
    ZERO,
    AssemblyPart,
    Position,
    after_assembly,
    after_first_cost,
    after_movement,
)
from services.reporting.read_models.rules import cost_of
from shared.contracts.inventory.movements import StockMoved
from shared.contracts.inventory.prices import UNIT_AMOUNT_COLUMN, PriceSet
from shared.db import driver_connection
from shared.journal import Entry
from shared.security.sealing import Sealer, place


async def revalue(
    session: AsyncSession, sealer: Sealer, tenant_id: UUID, entries: Sequence[Entry]
) -> None:
    """Move the items' positions on by one tenant's entries, in their order. Raises SealBroken."""
    relevant = [entry for entry in entries if _touches_value(entry)]
    if not relevant:
        return
    connection: asyncpg.Connection = await driver_connection(session)
    moved = [entry for entry in relevant if isinstance(entry, StockMoved)]
    left_open = await queries.find_assembly(connection)
    assembly = _continued(left_open, relevant[0], sealer, tenant_id)
    concerned = {_item_of(entry) for entry in relevant} | set(assembly.parts if assembly else ())
    found = await queries.find_positions(connection, list(concerned))
    before = {i: sealed.opened(sealer, tenant_id, i) for i, sealed in found.items()}
    sealed_costs = await queries.find_costs(
        connection, list({m.cost_id for m in moved if m.cost_id})
    )
    after = dict(before)
    last = _move_on(after, relevant, assembly, _Costs(sealer, tenant_id, sealed_costs))
    changed = {
        item_id: SealedPosition.of(position, sealer, tenant_id, item_id)
        for item_id, position in sorted(after.items())
        if position != before.get(item_id, Position())
    }
    if changed:
        await queries.save_positions(connection, changed)
    if last is not None:  # Its other entries may be on the next page.
        sealed = SealedAssembly.of(last.part_of, last.parts, sealer, tenant_id)
        await queries.save_assembly(connection, sealed)
    elif left_open is not None:
        await queries.remove_assembly(connection)


@dataclass(slots=True)
class _Assembly:
    """What a kit, or its being taken apart, moved so far: entries of one transaction, in a row.

    Positions before it are kept, so that all of it is reckoned at once, however it is cut.
    """

    part_of: UUID
    parts: dict[UUID, AssemblyPart]

    def add(self, entry: StockMoved, before: Position, cost: Decimal | None) -> None:
        known = self.parts.get(entry.item_id, AssemblyPart(before, ZERO, cost))
        self.parts[entry.item_id] = replace(known, quantity=known.quantity + entry.quantity)


def _continued(
    left_open: SealedAssembly | None, first: Entry, sealer: Sealer, tenant_id: UUID
) -> _Assembly | None:
    """Return the assembly that the last page ended in, if this one goes on with it."""
    if left_open is None or _whole_of(first) != left_open.part_of:
        return None
    return _Assembly(left_open.part_of, left_open.opened(sealer, tenant_id))


def _move_on(
    positions: dict[UUID, Position],
    entries: Sequence[Entry],
    assembly: _Assembly | None,
    costs: "_Costs",
) -> _Assembly | None:
    """Move the positions on by the entries; return the assembly that the last one is of, if any."""
    for entry in entries:
        brought = cost_of(entry)
        if brought is not None:
            costs.learn(brought[0], brought[1].sealed)
        item_id, whole = _item_of(entry), _whole_of(entry)
        if assembly is not None and whole != assembly.part_of:
            positions.update(after_assembly(assembly.parts))
            assembly = None
        before = positions.get(item_id, Position())
        if isinstance(entry, StockMoved) and whole is not None:
            assembly = assembly or _Assembly(whole, {})
            assembly.add(entry, before, costs.find(entry.cost_id))
        else:
            positions[item_id] = _moved_on(before, entry, costs)
    if assembly is not None:
        positions.update(after_assembly(assembly.parts))
    return assembly


class _Costs:
    """Unit costs known so far, opened when first needed."""

    def __init__(self, sealer: Sealer, tenant_id: UUID, sealed: dict[UUID, bytes]) -> None:
        self._sealer = sealer
        self._tenant_id = tenant_id
        self._sealed = dict(sealed)
        self._opened: dict[UUID, Decimal] = {}

    def learn(self, cost_id: UUID, sealed: bytes) -> None:
        self._sealed[cost_id] = sealed

    def find(self, cost_id: UUID | None) -> Decimal | None:
        if cost_id is None or cost_id not in self._sealed:
            return None
        if cost_id not in self._opened:
            where = place(UNIT_AMOUNT_COLUMN, self._tenant_id, cost_id)
            self._opened[cost_id] = self._sealer.open_amount(self._sealed[cost_id], where)
        return self._opened[cost_id]


def _touches_value(entry: Entry) -> bool:
    match entry:
        case StockMoved():
            return _kind_of(entry) != TRANSFER
        case PriceSet():
            return entry.kind == "cost"
    return False


def _kind_of(entry: StockMoved) -> str:
    """Return the kind of a movement; of a reversal, that of what it undoes."""
    return entry.reversed_kind or entry.kind


def _item_of(entry: Entry) -> UUID:
    item_id: UUID = entry.item_id  # type: ignore[attr-defined]  # both kinds that touch value have it.
    return item_id


def _whole_of(entry: Entry) -> UUID | None:
    """Return which assembly an entry is part of, if it is of one."""
    return entry.part_of if isinstance(entry, StockMoved) else None


def _moved_on(position: Position, entry: Entry, costs: _Costs) -> Position:
    if isinstance(entry, StockMoved):
        kind = _kind_of(entry)
        names_cost = entry.quantity > 0 or kind == RECEIPT
        cost = costs.find(entry.cost_id) if names_cost else None
        return after_movement(position, kind, entry.quantity, cost)
    brought = cost_of(entry)
    cost = costs.find(brought[0]) if brought and position.unit_cost is None else None
    return position if cost is None else after_first_cost(position, cost)
