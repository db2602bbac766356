"""Sealing anew with the present key what earlier ones sealed, while everything goes on.

A value is opened and sealed in a transaction of its tenant, and written only where it is still
what was read; whoever changes it meanwhile seals it himself. Before and after, each value opens:
earlier keys stay configured until `list_remaining` knows of none that needs them.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import OpenFor
from shared.log import log
from shared.security.sealing import SealBroken, Sealer, place

PAGE = 500
remaining = Gauge(
    "sealed_values_remaining", "Values that a key sealed which does not seal any more.",
    ["column", "key_id"],
)  # fmt: skip


class SealedColumn(NamedTuple):
    """A column of sealed values, and what its values are bound to."""

    table: str
    name: str
    place: str  # `schema.table.column`, as it was said when they were sealed.
    key: str = "id"  # The column by which a row is found, and which its place names.
    key_type: str = "uuid"
    tenant_id: UUID | None = None  # Of rows that belong to the installation.


class Resealed(NamedTuple):
    """How many values were sealed anew, and how many no configured key opens."""

    done: int
    unreadable: int


async def reseal(open_for: OpenFor, columns: Sequence[SealedColumn], *, sealer: Sealer) -> Resealed:
    """Seal with the present key what others sealed in these columns, of all tenants.

    The gauge tells what is left then.
    """
    done = unreadable = 0
    for column in columns:
        after = ""
        while True:
            page = await _list_sealed_before(open_for, column, sealer, after)
            if not page:
                break
            after = page[-1][1]
            for tenant_id, rows in groupby(sorted(page, key=_by_tenant), itemgetter(0)):
                async with open_for(tenant_id) as session:
                    ids = [row_id for _, row_id in rows]
                    found = await _reseal_rows(session, column, tenant_id, ids, sealer)
                done, unreadable = done + found.done, unreadable + found.unreadable
    if done or unreadable:
        log.info("values sealed anew", count=done, unreadable=unreadable)
    async with open_for(None) as session:
        await measure_remaining(session, columns, sealer=sealer)
    return Resealed(done, unreadable)


async def list_remaining(
    session: AsyncSession, columns: Sequence[SealedColumn], *, sealer: Sealer
) -> Mapping[tuple[str, str], int]:
    """Return how many values each other key sealed: by column and by the key's id in hex."""
    found: dict[tuple[str, str], int] = {}
    for column in columns:
        rows = await session.execute(_BY_KEY, {"table": column.table, "name": column.name})
        for key_id, count in rows:
            if key_id != sealer.current_id:
                found[f"{column.table}.{column.name}", key_id.hex()] = count
    return found


async def measure_remaining(
    session: AsyncSession, columns: Sequence[SealedColumn], *, sealer: Sealer
) -> None:
    """Let the gauge tell what is left; a key that seals nothing any more is not told of."""
    found = await list_remaining(session, columns, sealer=sealer)
    remaining.clear()
    for (column, key_id), count in found.items():
        remaining.labels(column, key_id).set(count)


async def _list_sealed_before(
    open_for: OpenFor, column: SealedColumn, sealer: Sealer, after: str
) -> list[tuple[UUID | None, str]]:
    asked: dict[str, object] = {"table": column.table, "name": column.name, "key": column.key}
    asked |= {"key_id": sealer.current_id, "after": after, "most": PAGE}
    async with open_for(None) as session:
        return [(row[0], row[1]) for row in await session.execute(_BY_OTHERS, asked)]


async def _reseal_rows(
    session: AsyncSession,
    column: SealedColumn,
    tenant_id: UUID | None,
    row_ids: Sequence[str],
    sealer: Sealer,
) -> Resealed:
    owner = tenant_id or column.tenant_id
    if owner is None:
        raise ValueError(f"{column.table} has no tenant: name the one its values are bound to")
    done = unreadable = 0
    table, name, key = column.table, column.name, column.key
    some = f"{key} = ANY(CAST(:ids AS {column.key_type}[]))"
    read = text(f"SELECT {key}::text, {name} FROM {table} WHERE {some}")  # noqa: S608 - our own names.
    for row_id, sealed in (await session.execute(read, {"ids": list(row_ids)})).all():
        if sealed is None or not sealer.needs_rotation(sealed):
            continue
        where = place(column.place, owner, row_id)
        try:
            anew = sealer.seal(sealer.open(sealed, where), where)
        except SealBroken:
            log.error("no key opens a sealed value", column=f"{table}.{name}", row=row_id)
            unreadable += 1
            continue
        write = text(
            f"UPDATE {table} SET {name} = :anew "  # noqa: S608 - our own names.
            f"WHERE {key} = CAST(:id AS {column.key_type}) AND {name} = :sealed"
        )
        values = {"anew": anew, "id": row_id, "sealed": sealed}
        done += (await session.execute(write, values)).rowcount  # type: ignore[attr-defined]  # Of an UPDATE.
    return Resealed(done, unreadable)


def _by_tenant(row: tuple[UUID | None, str]) -> str:
    return str(row[0])


_BY_OTHERS = text(
    "SELECT tenant_id, row_id "
    "FROM sealed_by_others(:table, :name, :key, CAST(:key_id AS bytea), :after, :most)"
)
_BY_KEY = text("SELECT key_id, sealed FROM sealed_by_key(:table, :name)")
