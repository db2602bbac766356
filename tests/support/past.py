"""A ledger that is years old: what a tenant just recorded is moved back, entries and all."""

from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from services.inventory.ledger_keeper import LedgerKeeper
from shared.clock import utc_now
from shared.db import Database

MONTHS = (date(2018, 1, 1), date(2018, 2, 1), date(2018, 3, 1))
YEARS = 5
_BACK = """
    CREATE OR REPLACE FUNCTION pg_temp.back(id uuid, ms bigint) RETURNS uuid LANGUAGE sql AS $$
        SELECT (lpad(to_hex(('x' || lpad(left(hex, 12), 16, '0'))::bit(64)::bigint - ms), 12, '0')
                || substr(hex, 13))::uuid FROM (SELECT replace(id::text, '-', '') AS hex) given
    $$"""


class Past:
    """What a test's tenant recorded, as if it had been long ago."""

    def __init__(self, superuser: asyncpg.Connection, database: Database, tenant_id: UUID) -> None:
        self.superuser, self.database, self.tenant_id = superuser, database, tenant_id
        self.keeper = LedgerKeeper(database, YEARS)

    async def begin(self) -> None:
        await self.clear()
        for month in MONTHS:
            await self.superuser.execute("SELECT inventory.add_months($1, 0)", month)
        await self.superuser.execute(_BACK)

    async def age(self, month: date, *, count: int | None = None) -> timedelta:
        """Move the first so many movements that were not moved yet, or all, to a month."""
        rows = await self.superuser.fetch(
            "SELECT DISTINCT ON (id) id, recorded_at FROM inventory.movements "
            "WHERE tenant_id = $1 AND recorded_at > '2020-01-01' ORDER BY id, seq",
            self.tenant_id,
        )
        rows = sorted(rows, key=lambda row: row["recorded_at"])[:count]
        first = rows[0]["recorded_at"]
        by = first - datetime(month.year, month.month, 3, 12, tzinfo=first.tzinfo)
        ids = [row["id"] for row in rows]
        # Transfers and approvals have ids of movements: these stay.
        are_named = await self.superuser.fetchval(
            "SELECT EXISTS (SELECT FROM inventory.transfers WHERE tenant_id = $1) "
            "OR EXISTS (SELECT FROM inventory.approvals WHERE tenant_id = $1)",
            self.tenant_id,
        )
        given = self.tenant_id, ids, by, 0 if are_named else int(by.total_seconds() * 1000)
        for statement in _AGE:
            await self.superuser.execute(statement, *given)
        return by

    async def detach(self, *months: date) -> None:
        for month in months or MONTHS:
            await self.keeper.detach(month)

    async def due(self) -> list[tuple[str, date, str | None]]:
        found = await self.keeper.list_due(utc_now())
        return [(each.action, each.month, each.need) for each in found]

    async def clear(self) -> None:
        """Have none of the months, attached or not, nor what says that they left."""
        for month in MONTHS:
            for table in ("movements", "journal"):
                await self.superuser.execute(
                    f"DROP TABLE IF EXISTS inventory.{table}_{month:%Y_%m}"
                )
        await self.superuser.execute(
            "TRUNCATE inventory.openings, inventory.opening_balances, inventory.ledger_archives"
        )


_AGE = (
    """
    UPDATE inventory.journal SET recorded_at = recorded_at - $3::interval, data = (
        data::jsonb || jsonb_strip_nulls(jsonb_build_object(
            'movement_id', pg_temp.back((data ->> 'movement_id')::uuid, $4),
            'reverses', pg_temp.back((data ->> 'reverses')::uuid, $4),
            'part_of', pg_temp.back((data ->> 'part_of')::uuid, $4),
            'occurred_at', (data ->> 'occurred_at')::timestamptz - $3::interval)))::json
    WHERE tenant_id = $1 AND type = 'inventory.stock-moved.v1'
        AND (data ->> 'movement_id')::uuid = ANY($2::uuid[])""",
    """
    UPDATE inventory.reversals SET movement_id = pg_temp.back(movement_id, $4),
        reversal_id = pg_temp.back(reversal_id, $4)
    WHERE tenant_id = $1 AND movement_id = ANY($2::uuid[]) AND $3::interval IS NOT NULL""",
    """
    UPDATE inventory.transfers SET dispatched_at = dispatched_at - $3::interval
    WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND $4::bigint IS NOT NULL""",
    """
    UPDATE inventory.movements SET id = pg_temp.back(id, $4),
        reverses = pg_temp.back(reverses, $4), part_of = pg_temp.back(part_of, $4),
        recorded_at = recorded_at - $3::interval, occurred_at = occurred_at - $3::interval
    WHERE tenant_id = $1 AND id = ANY($2::uuid[])""",
    """
    UPDATE inventory.levels v SET moved_at = m.latest
    FROM (SELECT item_id, location_id, lot_id, max(occurred_at) AS latest
          FROM inventory.movements WHERE tenant_id = $1 GROUP BY 1, 2, 3) m
    WHERE v.tenant_id = $1 AND (v.item_id, v.location_id, v.lot_id)
        = (m.item_id, m.location_id, m.lot_id)
        AND $2::uuid[] IS NOT NULL AND $3::interval IS NOT NULL AND $4::bigint IS NOT NULL""",
)
