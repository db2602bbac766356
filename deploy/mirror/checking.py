"""Comparing both databases, row by row where sums differ, while both are in use.

Two databases cannot be read at one moment while one is written. So what differs is read again once
the mirror has what was written meanwhile: what differs in the very same way both times is a fault.
With the primary frozen the first reading is exact.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from deploy.mirror.errors import MirrorError
from deploy.mirror.servers import SUBSCRIPTION, Ends, connected
from deploy.mirror.tables import SCHEMAS

Say = Callable[[str], None]
NAMED_MAX = 20  # Rows of one table that are named.
ROUNDS = 3
CATCH_UP_S = 60.0
POLL_S = 0.05


@dataclass(frozen=True)
class RowFault:
    """A row that is not alike on both sides, by its key; its values are not shown."""

    table: str
    fault: str  # missing or extra on the mirror, or different.
    key: str


@dataclass
class CheckResult:
    """What a comparison found."""

    lsn: str = ""
    tables: int = 0
    rows: int = 0
    differing: dict[str, int] = field(default_factory=dict)  # Rows by table, named or not.
    named: list[RowFault] = field(default_factory=list)
    duration_s: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.differing


@dataclass(frozen=True)
class _Row:
    """A row as one side has it, how often, and on which side alone it is so."""

    digest: int
    count: int
    key: str
    is_on_mirror: bool


async def check(ends: Ends, say: Say = lambda _text: None) -> CheckResult:
    """Compare every table, month by month. Raises MirrorError where the mirror cannot catch up."""
    began = time.monotonic()
    result = CheckResult()
    async with (
        connected(ends.primary, ends.database) as primary,
        connected(ends.mirror, ends.database) as mirror,
    ):
        result.lsn = await catch_up(primary)
        here, there = await _list_leaves(primary), await _list_leaves(mirror)
        for number, name in enumerate(sorted(here | there), 1):
            say(f"Comparing    {number} of {len(here | there)}: {name}")
            result.tables += 1
            if name not in there:
                await _note_absent(primary, name, "missing", result)
            elif name not in here:
                await _note_absent(mirror, name, "extra", result)
            else:
                await _check_table(primary, mirror, name, result)
    result.duration_s = time.monotonic() - began
    return result


async def catch_up(primary: asyncpg.Connection, timeout_s: float = CATCH_UP_S) -> str:
    """Wait until the mirror has what the primary has now; return up to where (an LSN)."""
    lsn: str = await primary.fetchval("SELECT pg_current_wal_lsn()::text")
    until = time.monotonic() + timeout_s
    while not (reached := await primary.fetchval(_HAS_REACHED, SUBSCRIPTION, lsn)):
        if reached is None:
            raise MirrorError("The primary has no slot for the mirror: run set-up first.")
        if time.monotonic() > until:
            raise MirrorError(
                f"The mirror did not reach {lsn} within {timeout_s:.0f} s; look at its status."
            )
        await asyncio.sleep(POLL_S)
    return lsn


async def _list_leaves(connection: asyncpg.Connection) -> set[str]:
    return {row["name"] for row in await connection.fetch(_LEAVES, SCHEMAS)}


async def _note_absent(
    connection: asyncpg.Connection, name: str, fault: str, result: CheckResult
) -> None:
    """Note a table or month that one side alone has; an empty one is no fault."""
    count = await connection.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608 - a name from the catalogue.
    if count:
        result.differing[name] = count
        result.named.append(RowFault(name, fault, "the whole table"))


async def _check_table(
    primary: asyncpg.Connection, mirror: asyncpg.Connection, name: str, result: CheckResult
) -> None:
    sums = _SUMS.format(name=name)
    here = await primary.fetchrow(sums)
    result.rows += here["rows"]
    if here == await mirror.fetchrow(sums):
        return
    suspects = await _differences(primary, mirror, name)
    for _ in range(ROUNDS - 1):
        if not suspects:
            return
        await catch_up(primary)
        suspects &= await _differences(primary, mirror, name)
    if suspects:
        _note_rows(name, suspects, result)


async def _differences(
    primary: asyncpg.Connection, mirror: asyncpg.Connection, name: str
) -> set[_Row]:
    """Return what one side alone has; only rows of the buckets that differ are read."""
    here, there = [await _sums_of_buckets(side, name) for side in (primary, mirror)]
    differing = [key for key in here.keys() | there.keys() if here.get(key) != there.get(key)]
    key = await primary.fetchval(_KEY, name)
    query = _ROWS.format(name=name, key=key or "'without a key, ' || ctid::text")
    found = []
    for side in (primary, mirror):
        rows = await side.fetch(query, differing)
        found.append(
            {
                (row["digest"], row["count"]): _Row(
                    row["digest"], row["count"], row["key"], side is mirror
                )
                for row in rows
            }
        )
    return {found[0][each] for each in found[0].keys() - found[1].keys()} | {
        found[1][each] for each in found[1].keys() - found[0].keys()
    }


async def _sums_of_buckets(connection: asyncpg.Connection, name: str) -> dict[int, int]:
    rows = await connection.fetch(_BUCKETS.format(name=name))
    return {row["bucket"]: row["sum"] for row in rows}


def _note_rows(name: str, rows: set[_Row], result: CheckResult) -> None:
    here = {row.key for row in rows if not row.is_on_mirror}
    there = {row.key for row in rows if row.is_on_mirror}
    faults = (
        *((key, "different") for key in sorted(here & there)),
        *((key, "missing") for key in sorted(here - there)),
        *((key, "extra") for key in sorted(there - here)),
    )
    result.differing[name] = len(faults)
    result.named += [RowFault(name, fault, key) for key, fault in faults[:NAMED_MAX]]


_LEAVES = """
    SELECT c.oid::regclass::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relpersistence = 'p'
      AND c.relname <> 'alembic_version'"""
_HAS_REACHED = """
    SELECT confirmed_flush_lsn >= $2::text::pg_lsn FROM pg_replication_slots
    WHERE slot_name = $1"""
_SUMS = "SELECT count(*) AS rows, sum(hashtextextended(t::text, 0)) AS sum FROM {name} t"
_BUCKETS = """
    SELECT digest & 1023 AS bucket, sum(digest) AS sum
    FROM (SELECT hashtextextended(t::text, 0) AS digest FROM {name} t) AS row GROUP BY 1"""
_ROWS = """
    SELECT digest, count(*) AS count, min(key) AS key
    FROM (SELECT hashtextextended(t::text, 0) AS digest, {key} AS key FROM {name} t) AS row
    WHERE digest & 1023 = ANY($1::bigint[]) GROUP BY 1"""
# What names a row: its primary key; `seq` in the journal and the ledger, which have none.
_KEY = """
    SELECT 'concat_ws('', '', ' || string_agg(
        format('%L || %I::text', a.attname || '=', a.attname), ', ' ORDER BY a.attnum) || ')'
    FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND (
        EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
                AND a.attnum = ANY(i.indkey))
        OR a.attname = 'seq' AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary))"""
