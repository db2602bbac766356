"""Which tables are mirrored, and how they look."""

from dataclasses import dataclass

import asyncpg

from deploy.mirror.errors import MirrorError
from deploy.postgres.bootstrap import SERVICES

SCHEMAS = list(SERVICES)


@dataclass(frozen=True)
class Table:
    """A table, whole: a partitioned one stands for its months."""

    name: str  # With its schema.
    has_key: bool
    columns: str  # Names and types, in order.


async def list_tables(connection: asyncpg.Connection) -> list[Table]:
    """Return what is mirrored. Raises MirrorError where there is nothing."""
    rows = await connection.fetch(_TABLES, SCHEMAS)
    if not rows:
        raise MirrorError("The primary has no tables; run the services' migrations first.")
    return [Table(row["name"], row["has_key"], row["columns"]) for row in rows]


async def require_insert_only(connection: asyncpg.Connection) -> None:
    """Raise MirrorError for a table without key that a service may change.

    Published for changes it would refuse them, on the primary; published for inserts alone the
    mirror would miss them.
    """
    changed = await connection.fetch(_CHANGEABLE, SCHEMAS)
    if changed:
        names = ", ".join(row["name"] for row in changed)
        raise MirrorError(f"Tables that change need a primary key to be mirrored: {names}.")


def differences_of_shape(primary: list[Table], mirror: list[Table]) -> list[str]:
    """Return what the mirror lacks or has otherwise, a line for each table."""
    there = {table.name: table for table in mirror}
    found = []
    for table in primary:
        other = there.get(table.name)
        if other is None:
            found.append(f"{table.name} is missing on the mirror")
        elif other.columns != table.columns:
            found.append(f"{table.name} has other columns on the mirror")
    return found


_TABLES = """
    SELECT c.oid::regclass::text AS name,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_key,
           (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                              ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           ) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
      AND NOT c.relispartition AND c.relname <> 'alembic_version'
      AND c.relname !~ '^(journal|movements)_[0-9]{4}_[0-9]{2}$'  -- Detached by retention.
    ORDER BY 1"""
_CHANGEABLE = """
    SELECT c.oid::regclass::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
      AND NOT c.relispartition AND c.relname <> 'alembic_version'
      AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
      AND has_table_privilege(n.nspname || '_app', c.oid, 'UPDATE, DELETE')"""
