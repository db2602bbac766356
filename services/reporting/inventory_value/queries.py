import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.inventory_value.rules import AssemblyPart, Position
from shared.security.sealing import Sealer, place

AMOUNT_COLUMN = "reporting.item_values.amount"  # The place that sealed values are bound to.
PARTS_COLUMN = "reporting.open_assemblies.parts_sealed"
_UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class SealedPosition:
    """A row of `item_values`; `amount` seals value and unit cost, parted by a space."""

    held: Decimal
    owed: Decimal
    amount: bytes

    @classmethod
    def of(
        cls, position: Position, sealer: Sealer, tenant_id: UUID, item_id: UUID
    ) -> "SealedPosition":
        amount = f"{position.value:f} {_text(position.unit_cost)}".encode()
        where = place(AMOUNT_COLUMN, tenant_id, item_id)
        return cls(position.held, position.owed, sealer.seal(amount, where))

    def opened(self, sealer: Sealer, tenant_id: UUID, item_id: UUID) -> Position:
        """Return the position. Raises SealBroken."""
        amount = sealer.open(self.amount, place(AMOUNT_COLUMN, tenant_id, item_id))
        value, _, unit_cost = amount.decode().partition(" ")
        return Position(self.held, self.owed, Decimal(value), _number(unit_cost))


@dataclass(frozen=True, slots=True)
class SealedAssembly:
    """The row of `open_assemblies`: which assembly is open, and its parts so far, sealed."""

    part_of: UUID
    sealed: bytes

    @classmethod
    def of(
        cls, part_of: UUID, parts: Mapping[UUID, AssemblyPart], sealer: Sealer, tenant_id: UUID
    ) -> "SealedAssembly":
        rows = [
            [str(item_id), *map(_text, (held.held, held.owed, held.value, held.unit_cost)),
             _text(part.quantity), _text(part.cost)]
            for item_id, part in parts.items()
            for held in [part.before]
        ]  # fmt: skip
        where = place(PARTS_COLUMN, tenant_id, part_of)
        return cls(part_of, sealer.seal(json.dumps(rows).encode(), where))

    def opened(self, sealer: Sealer, tenant_id: UUID) -> dict[UUID, AssemblyPart]:
        """Return the parts by item, in their order. Raises SealBroken."""
        rows = json.loads(sealer.open(self.sealed, place(PARTS_COLUMN, tenant_id, self.part_of)))
        return {
            UUID(item_id): AssemblyPart(
                Position(Decimal(held), Decimal(owed), Decimal(value), _number(unit_cost)),
                Decimal(quantity),
                _number(cost),
            )
            for item_id, held, owed, value, unit_cost, quantity, cost in rows
        }


async def find_assembly(connection: asyncpg.Connection) -> SealedAssembly | None:
    """Return the assembly of the session's tenant that is open, if one is."""
    row = await connection.fetchrow(_ASSEMBLY)
    return None if row is None else SealedAssembly(row["part_of"], row["parts_sealed"])


async def save_assembly(connection: asyncpg.Connection, assembly: SealedAssembly) -> None:
    await connection.execute(_SAVE_ASSEMBLY, assembly.part_of, assembly.sealed)


async def remove_assembly(connection: asyncpg.Connection) -> None:
    await connection.execute(_REMOVE_ASSEMBLY)


async def find_positions(
    connection: asyncpg.Connection, item_ids: Sequence[UUID]
) -> dict[UUID, SealedPosition]:
    rows = await connection.fetch(_POSITIONS, item_ids)
    return {row["item_id"]: SealedPosition(row["held"], row["owed"], row["amount"]) for row in rows}


async def find_costs(connection: asyncpg.Connection, cost_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the sealed amounts of these unit costs, as far as they are known here."""
    rows = await connection.fetch(_COSTS, cost_ids)
    return {row["id"]: row["amount"] for row in rows}


async def save_positions(
    connection: asyncpg.Connection, positions: Mapping[UUID, SealedPosition]
) -> None:
    await connection.execute(
        _SAVE,
        list(positions),
        [position.held for position in positions.values()],
        [position.owed for position in positions.values()],
        [position.amount for position in positions.values()],
    )


async def list_items(session: AsyncSession) -> Sequence[RowMapping]:
    """Return every item in stock with its sealed value."""
    return (await session.execute(_ITEMS)).mappings().all()


async def list_levels(session: AsyncSession) -> Sequence[RowMapping]:
    """Return what lies of each item at each location."""
    return (await session.execute(_LEVELS)).mappings().all()


def _text(number: Decimal | None) -> str:
    return _UNKNOWN if number is None else f"{number:f}"


def _number(text: str) -> Decimal | None:
    return None if text == _UNKNOWN else Decimal(text)


_ASSEMBLY = "SELECT part_of, parts_sealed FROM open_assemblies"
_SAVE_ASSEMBLY = """
    INSERT INTO open_assemblies (part_of, parts_sealed) VALUES ($1, $2)
    ON CONFLICT (tenant_id)
    DO UPDATE SET part_of = excluded.part_of, parts_sealed = excluded.parts_sealed
"""
_REMOVE_ASSEMBLY = "DELETE FROM open_assemblies"
_POSITIONS = "SELECT item_id, held, owed, amount FROM item_values WHERE item_id = ANY($1::uuid[])"
_COSTS = "SELECT id, amount FROM unit_costs WHERE id = ANY($1::uuid[])"
_SAVE = """
    INSERT INTO item_values (item_id, held, owed, amount)
    SELECT * FROM unnest($1::uuid[], $2::numeric[], $3::numeric[], $4::bytea[])
    ON CONFLICT (tenant_id, item_id)
    DO UPDATE SET held = excluded.held, owed = excluded.owed, amount = excluded.amount
"""
_ITEMS = text("""
    SELECT v.item_id, i.code, i.name_en, i.name_fr, i.category, i.unit, v.held, v.owed, v.amount
    FROM item_values v JOIN items i ON i.id = v.item_id
    WHERE v.held > 0 AND v.owed = 0 """)
_LEVELS = text("""
    SELECT v.item_id, l.name AS location, v.on_hand
    FROM levels v JOIN locations l ON l.id = v.location_id
    WHERE v.on_hand > 0 ORDER BY l.name, v.item_id""")
