"""What the databases hold at the end of a run, read at once as their superuser."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg

Level = tuple[str, str, str]  # Item, location and lot.
Pair = tuple[str, str]  # Item and location.


class Row(NamedTuple):
    """A row of the ledger."""

    seq: int
    id: str
    leg: int
    kind: str
    item_id: str
    location_id: str
    lot_id: str
    quantity: Decimal
    balance_after: Decimal
    reference: str | None
    reverses: str | None
    occurred_at: datetime
    recorded_at: datetime

    @property
    def level(self) -> Level:
        return self.item_id, self.location_id, self.lot_id


class Entry(NamedTuple):
    """An entry of inventory's journal."""

    id: str
    seq: int
    actor: str
    request_id: str
    type: str
    data: dict[str, Any]


class Hold(NamedTuple):
    """What a line of a reservation holds at a level."""

    reservation_id: str
    reference: str | None
    item_id: str
    location_id: str
    lot_id: str
    quantity: Decimal
    held: Decimal
    committed: Decimal
    released: Decimal
    expired: Decimal
    expires_at: datetime


class Transfer(NamedTuple):
    """A transfer in two stages."""

    id: str
    item_id: str
    via_id: str
    to_id: str
    quantity: Decimal
    received: Decimal | None


@dataclass
class Snapshot:
    """One tenant's stock, and what follows from it elsewhere."""

    rows: list[Row] = field(default_factory=list)  # In the order of recording.
    levels: dict[Level, tuple[Decimal, Decimal]] = field(default_factory=dict)  # On hand, reserved.
    holds: list[Hold] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    keys: set[tuple[str, str]] = field(default_factory=set)  # Actor and key.
    # Of the followers: their levels, by who follows, and the ids of the audit trail's entries.
    followed: dict[str, dict[Pair, Decimal]] = field(default_factory=dict)
    trail: list[str] = field(default_factory=list)
    issued: Decimal = Decimal(0)  # As forecasting adds it up.
    set_aside: int = 0

    @property
    def on_hand(self) -> dict[Pair, Decimal]:
        """What lies of each item at each location, as the ledger has it."""
        found: dict[Pair, Decimal] = defaultdict(Decimal)
        for row in self.rows:
            found[row.item_id, row.location_id] += row.quantity
        return dict(found)


async def take(dsn: str, tenant_id: str) -> Snapshot:
    """Return what is there of a tenant, as of one instant."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _read(connection, tenant_id)
    finally:
        await connection.close()


async def is_followed(dsn: str) -> bool:
    """Say whether every follower of inventory's journal has arrived at its end."""
    connection = await asyncpg.connect(dsn)
    try:
        return bool(await connection.fetchval(_IS_FOLLOWED))
    finally:
        await connection.close()


async def checkpoints(dsn: str) -> dict[int, bytes]:
    """Return the signed checkpoints of inventory's journal, whole, by number."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT number, c::text FROM inventory.checkpoints c")
    finally:
        await connection.close()
    return {row[0]: row[1].encode() for row in rows}


async def _read(connection: asyncpg.Connection, tenant_id: str) -> Snapshot:
    async def rows(statement: str) -> list[Any]:
        found: list[Any] = await connection.fetch(statement, tenant_id)
        return found

    levels = await rows(_LEVELS)
    followed: dict[str, dict[Pair, Decimal]] = {}
    for service in ("reporting", "forecasting"):
        own = await rows(_FOLLOWED.format(service))
        followed[service] = {(row[0], row[1]): row[2] for row in own}
    return Snapshot(
        rows=[Row(*row) for row in await rows(_ROWS)],
        levels={(row[0], row[1], row[2]): (row[3], row[4]) for row in levels},
        holds=[Hold(*row) for row in await rows(_HOLDS)],
        transfers=[Transfer(*row) for row in await rows(_TRANSFERS)],
        journal=[Entry(*row[:5], json.loads(row[5])) for row in await rows(_JOURNAL)],
        keys={(row[0], row[1]) for row in await rows(_KEYS)},
        followed=followed,
        trail=[row[0] for row in await rows(_TRAIL)],
        issued=(await rows(_ISSUED))[0][0],
        set_aside=(await rows(_SET_ASIDE))[0][0],
    )


_ROWS = """
SELECT seq, id::text, leg, kind, item_id::text, location_id::text, lot_id::text, quantity,
       balance_after, reference, reverses::text, occurred_at, recorded_at
FROM inventory.movements WHERE tenant_id = $1::text::uuid ORDER BY seq"""
_LEVELS = """
SELECT item_id::text, location_id::text, lot_id::text, on_hand, reserved
FROM inventory.levels WHERE tenant_id = $1::text::uuid"""
_HOLDS = """
SELECT h.reservation_id::text, r.reference, h.item_id::text, h.location_id::text, h.lot_id::text,
       h.quantity, h.held, h.committed, h.released, h.expired, h.expires_at
FROM inventory.reservation_holds h JOIN inventory.reservations r
     ON r.tenant_id = h.tenant_id AND r.id = h.reservation_id
WHERE h.tenant_id = $1::text::uuid"""
_TRANSFERS = """
SELECT id::text, item_id::text, via_id::text, to_id::text, quantity, received
FROM inventory.transfers WHERE tenant_id = $1::text::uuid"""
_JOURNAL = """
SELECT id::text, seq, actor, request_id, type, data::text
FROM inventory.journal WHERE tenant_id = $1::text::uuid ORDER BY seq"""
_KEYS = "SELECT actor, key FROM inventory.idempotency_keys WHERE tenant_id = $1::text::uuid"
_FOLLOWED = """
SELECT item_id::text, location_id::text, sum(on_hand)
FROM {0}.levels WHERE tenant_id = $1::text::uuid GROUP BY 1, 2"""
_TRAIL = """
SELECT id::text FROM reporting.audit_entries
WHERE tenant_id = $1::text::uuid AND service = 'inventory'"""
_ISSUED = """
SELECT coalesce(sum(issued), 0) FROM forecasting.consumption WHERE tenant_id = $1::text::uuid"""
_SET_ASIDE = """
SELECT (SELECT count(*) FROM reporting.entries_set_aside WHERE tenant_id = $1::text::uuid)
     + (SELECT count(*) FROM forecasting.entries_set_aside WHERE tenant_id = $1::text::uuid)"""
_IS_FOLLOWED = """
SELECT bool_and((c.xid, c.seq) = (j.xid::text::bigint, j.seq))
FROM (SELECT xid, seq FROM inventory.journal ORDER BY xid DESC, seq DESC LIMIT 1) j,
     (SELECT xid, seq FROM reporting.follower_cursors WHERE producer = 'inventory'
      UNION ALL
      SELECT xid, seq FROM forecasting.follower_cursors WHERE producer = 'inventory') c"""
