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
    part_of: str | None = None

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


class CountLine(NamedTuple):
    """A line of a count, and the movement by which it was posted."""

    count_id: str
    item_id: str
    location_id: str
    lot_id: str
    counted: Decimal | None
    counted_at: datetime | None
    movement_id: str | None

    @property
    def level(self) -> Level:
        return self.item_id, self.location_id, self.lot_id


class Approval(NamedTuple):
    """What somebody asked for, and what became of it."""

    id: str
    state: str
    requester_id: str
    decider_id: str | None
    movements: list[str] | None
    asked: dict[Level, Decimal]


@dataclass
class Snapshot:
    """One tenant's stock, and what follows from it elsewhere."""

    rows: list[Row] = field(default_factory=list)  # In the order of recording.
    levels: dict[Level, tuple[Decimal, Decimal]] = field(default_factory=dict)  # On hand, reserved.
    holds: list[Hold] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    serials: set[str] = field(default_factory=set)  # The lots that are serials.
    kits: dict[str, dict[str, Decimal]] = field(default_factory=dict)  # What one takes, by item.
    counts: dict[str, str] = field(default_factory=dict)  # Their states.
    count_lines: dict[str, list[CountLine]] = field(default_factory=lambda: defaultdict(list))
    approvals: list[Approval] = field(default_factory=list)
    parents: dict[str, str | None] = field(default_factory=dict)  # Of locations.
    spans: list[tuple[str, datetime, datetime]] = field(default_factory=list)  # What, from, until.
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
    lines: dict[str, list[CountLine]] = defaultdict(list)
    for line in map(CountLine._make, await rows(_COUNT_LINES)):
        lines[line.count_id].append(line)
    kits: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for kit, item, quantity in await rows(_KITS):
        kits[kit][item] = quantity
    asked: dict[str, dict[Level, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for approval, item, location, lot, quantity in await rows(_ASKED):
        asked[approval][item, location, lot] += quantity
    return Snapshot(
        serials={row[0] for row in await rows(_SERIALS)},
        kits=kits,
        counts={row[0]: row[1] for row in await rows(_COUNTS)},
        count_lines=lines,
        approvals=[Approval(*row, asked[row[0]]) for row in await rows(_APPROVALS)],
        parents={row[0]: row[1] for row in await rows(_LOCATIONS)},
        spans=[(row[0], row[1], row[2]) for row in await rows(_SPANS)],
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
       balance_after, reference, reverses::text, occurred_at, recorded_at,
       part_of::text
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
_SERIALS = """
SELECT t.id::text FROM inventory.lots t
JOIN inventory.items i ON i.tenant_id = t.tenant_id AND i.id = t.item_id
WHERE t.tenant_id = $1::text::uuid AND i.tracking = 'serial'"""
_KITS = """
SELECT kit_id::text, item_id::text, quantity
FROM inventory.kit_components WHERE tenant_id = $1::text::uuid"""
_COUNTS = "SELECT id::text, state FROM inventory.counts WHERE tenant_id = $1::text::uuid"
_COUNT_LINES = """
SELECT count_id::text, item_id::text, location_id::text, lot_id::text, counted, counted_at,
       movement_id::text
FROM inventory.count_lines WHERE tenant_id = $1::text::uuid"""
_APPROVALS = """
SELECT id::text, state, requester_id::text, decider_id::text, movements::text[]
FROM inventory.approvals WHERE tenant_id = $1::text::uuid"""
_ASKED = """
SELECT approval_id::text, item_id::text, location_id::text, lot_id::text, quantity
FROM inventory.approval_lines WHERE tenant_id = $1::text::uuid"""
_LOCATIONS = """
SELECT id::text, parent_id::text FROM inventory.locations WHERE tenant_id = $1::text::uuid"""
_SPANS = """
WITH spans AS (
    SELECT tenant_id, 'count ' || id AS what, opened_at AS began, closed_at AS ended
    FROM inventory.counts
    UNION ALL SELECT tenant_id, 'approval ' || id, opened_at, decided_at FROM inventory.approvals
    UNION ALL SELECT tenant_id, 'freeze ' || id, frozen_at, lifted_at FROM inventory.freezes
    UNION ALL SELECT tenant_id, 'transfer ' || id, dispatched_at, received_at
    FROM inventory.transfers
    UNION ALL SELECT tenant_id, 'period ' || id, closed_at, reopened_at FROM inventory.periods
)
SELECT what, began, ended FROM spans WHERE tenant_id = $1::text::uuid AND ended IS NOT NULL"""
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
