"""Writing what was granted, in one statement: levels, ledger, costs, journal, keys."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.inventory.ledger.rules import Balance, Level


class LedgerEntry(NamedTuple):
    """One row of the ledger to write, with its journal entry's data.

    Quantities are plain text, as they stand in that: for a Decimal the driver takes three times as
    long.
    """

    id: UUID
    leg: int
    kind: str
    item_id: UUID
    location_id: UUID
    lot_id: UUID
    quantity: str
    balance_after: str
    cost_id: UUID | None
    reason_code: str | None
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    backdated: bool
    given_quantity: str | None
    given_unit: str | None
    reverses: UUID | None
    part_of: UUID | None
    request_id: str
    data: str  # The journal entry, as JSON.
    amount: bytes | None  # The sealed unit cost that it brings.
    key: str | None
    fingerprint: bytes | None


async def write(
    connection: asyncpg.Connection,
    entries: Sequence[LedgerEntry],
    levels: Mapping[Level, Balance],
    recorded_at: datetime,
    *,
    serials: Collection[UUID] = (),
) -> None:
    """Write the entries, and the levels as they are after them. They must be locked.

    `serials` are the lots that are serials: what they leave is written before where they go.
    """
    columns = map(_sent, LedgerEntry._fields, zip(*entries, strict=True))
    if serials:
        levels = dict(sorted(levels.items(), key=lambda level: level[1].on_hand))
    items, places, lots = zip(*levels, strict=True)
    on_hand = [balance.on_hand for balance in levels.values()]
    reserved = [balance.reserved for balance in levels.values()]
    moved_at = [balance.moved_at for balance in levels.values()]
    is_serial = [lot_id in serials for lot_id in lots]
    after = items, places, lots, on_hand, reserved, moved_at, is_serial
    await connection.execute(WRITE, *columns, *after, recorded_at)


def _sent(name: str, column: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a column as it is sent: what is the same in all rows once, for each takes its time.

    unnest fills a shorter column up with nulls. A column that has none of its own is filled from
    its first value by the statement; one that may have some is sent once only if it has no other.
    """
    is_same = column.count(column[0]) == len(column)
    return column[:1] if is_same and (name not in _NULLABLE or column[0] is None) else column


# The columns of LedgerEntry as PostgreSQL takes them, in their order.
_TYPES = {
    "id": "uuid",
    "leg": "smallint",
    "kind": "text",
    "item_id": "uuid",
    "location_id": "uuid",
    "lot_id": "uuid",
    "quantity": "text[]::numeric",
    "balance_after": "text[]::numeric",
    "cost_id": "uuid",
    "reason_code": "text",
    "reason": "text",
    "reference": "text",
    "actor": "text",
    "occurred_at": "timestamptz",
    "backdated": "bool",
    "given_quantity": "text[]::numeric",
    "given_unit": "text",
    "reverses": "uuid",
    "part_of": "uuid",
    "request_id": "text",
    "data": "text",
    "amount": "bytea",
    "key": "text",
    "fingerprint": "bytea",
}
assert tuple(_TYPES) == LedgerEntry._fields  # noqa: S101 - the statement is made from both.
_WIDTH = len(_TYPES)
_ARRAYS = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES.values(), start=1))
_NULLABLE = {
    "cost_id", "reason_code", "reason", "reference", "given_quantity", "given_unit", "reverses",
    "part_of", "amount", "key", "fingerprint",
}  # fmt: skip
_FILLED = ", ".join(
    name if name in _NULLABLE else f"coalesce({name}, (${n}::{kind}[])[1]) AS {name}"
    for n, (name, kind) in enumerate(_TYPES.items(), start=1)
)
_LEDGER = (
    "id, leg, kind, item_id, location_id, lot_id, quantity, balance_after, cost_id, reason_code, "
    "reason, reference, actor, occurred_at, backdated, given_quantity, given_unit, reverses, "
    "part_of"
)

WRITE = f"""
/* insert movements */ WITH entry AS MATERIALIZED (
    SELECT n, {_FILLED}
    FROM unnest({_ARRAYS}) WITH ORDINALITY AS sent({", ".join(_TYPES)}, n)
), kept AS (
    INSERT INTO idempotency_keys (actor, key, fingerprint, answer)
    SELECT actor, key, fingerprint, jsonb_build_object('movement_id', id)
    FROM entry WHERE key IS NOT NULL AND leg = 0 ORDER BY actor, key
), brought AS (
    INSERT INTO prices (id, item_id, kind, source, amount)
    SELECT cost_id, item_id, 'cost', 'receipt', amount
    FROM entry WHERE amount IS NOT NULL AND leg = 0
), moved AS (
    INSERT INTO levels (item_id, location_id, lot_id, on_hand, reserved, moved_at, is_serial,
                        serial_id)
    SELECT item_id, location_id, lot_id, on_hand, reserved, moved_at, is_serial,
           CASE WHEN is_serial AND on_hand = 1 THEN lot_id END
    FROM unnest(${_WIDTH + 1}::uuid[], ${_WIDTH + 2}::uuid[], ${_WIDTH + 3}::uuid[],
                ${_WIDTH + 4}::numeric[], ${_WIDTH + 5}::numeric[], ${_WIDTH + 6}::timestamptz[],
                ${_WIDTH + 7}::bool[])
         AS level(item_id, location_id, lot_id, on_hand, reserved, moved_at, is_serial)
    ON CONFLICT (tenant_id, item_id, location_id, lot_id) DO UPDATE
    SET on_hand = excluded.on_hand, reserved = excluded.reserved, moved_at = excluded.moved_at,
        is_serial = excluded.is_serial, serial_id = excluded.serial_id
), journaled AS (
    INSERT INTO journal (id, recorded_at, actor, request_id, type, subject, data)
    SELECT gen_random_uuid(), ${_WIDTH + 8}, actor, request_id, 'inventory.stock-moved.v1',
           'item:' || item_id, data::json
    FROM entry ORDER BY n
)
INSERT INTO movements ({_LEDGER}, recorded_at) SELECT {_LEDGER}, ${_WIDTH + 8} FROM entry ORDER BY n
"""  # noqa: S608 - made of our own names.
