"""The models say of each table what the migrations made of it."""

import re
from importlib import import_module
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from shared.db import Base
from tests.support.tree import ROOT, services, shown

pytestmark = pytest.mark.stack

COLUMNS = """
    SELECT table_name, column_name, udt_name, is_nullable = 'YES' AS nullable,
           column_default IS NOT NULL OR is_identity = 'YES' AS has_default,
           numeric_precision, numeric_scale
    FROM information_schema.columns WHERE table_schema = $1"""
# What PostgreSQL calls the types that SQLAlchemy writes.
TYPE_NAMES = {
    "uuid": "UUID", "text": "TEXT", "varchar": "VARCHAR", "int2": "SMALLINT", "int4": "INTEGER",
    "int8": "BIGINT", "bool": "BOOLEAN", "float4": "REAL", "float8": "DOUBLE PRECISION",
    "timestamptz": "TIMESTAMP WITH TIME ZONE", "date": "DATE", "bytea": "BYTEA", "json": "JSON",
    "jsonb": "JSONB", "xid8": "XID8", "_text": "TEXT[]", "_uuid": "UUID[]", "_float8": "FLOAT[]",
}  # fmt: skip
# Types that mean the same in a model: a text has no length, a number fits into a larger one.
ALIKE = {
    "TEXT": {"VARCHAR", "TEXT"}, "SMALLINT": {"SMALLINT", "INTEGER"}, "XID8": {"BIGINT"},
    "INTEGER": {"INTEGER"}, "BIGINT": {"BIGINT", "INTEGER"}, "TEXT[]": {"VARCHAR[]", "TEXT[]"},
    "DOUBLE PRECISION": {"FLOAT", "DOUBLE PRECISION"}, "JSONB": {"JSONB", "JSON"},
}  # fmt: skip
# Tables that no class stands for, and why.
BY_STATEMENTS = "read and written by statements alone, many rows at a time"
UNMAPPED = {
    "alembic_version": "Alembic's own",
    "checkpoints": "sealed and proved by the statements of shared.journal",
    "verifications": "written and read by the statements of shared.journal",
    "journal_archives": "written and read by the statements of shared.journal",
    "feed_readers": "written by a statement of shared.journal",
    "retention_runs": "written and read by the statements of shared.journal",
    "idempotency_keys": "claimed and answered by the statements of shared.web and of movements",
}
FOLLOWING = dict.fromkeys(
    ("entries_set_aside", "rebuilds"), "read and written by the statements of shared.journal"
)
UNMAPPED_OF: dict[str, dict[str, str]] = {
    "auth": {},
    "inventory": dict.fromkeys(("snapshots", "snapshot_sums", "levels_now", "ledger_archives"),
                               BY_STATEMENTS)
    | FOLLOWING,
    "forecasting": dict.fromkeys(("consumption", "items", "levels", "lots"), BY_STATEMENTS)
    | dict.fromkeys(("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"),
                    "pgqueuer's own")
    | FOLLOWING,
    "reporting": dict.fromkeys(("audit_entries", "item_values", "items", "levels", "locations",
                                "lots", "movement_days", "open_assemblies", "tenants",
                                "unit_costs"), BY_STATEMENTS)
    | FOLLOWING,
}  # fmt: skip
# Columns that no model knows: the database fills them in, and statements read them.
UNMAPPED_COLUMNS = {"journal": {"seq", "xid", "recorded_at"}, "prices": {"recorded_at"}}
PARTITIONS = "SELECT relname FROM pg_class WHERE relispartition AND relnamespace = $1::regnamespace"


def models_of(service: str) -> list[type[Base]]:
    """The models of a service, and those of the tables that every service has."""
    for path in (ROOT / "services" / service).rglob("models*"):
        if path.suffix == ".py" or (path / "__init__.py").exists():
            import_module(shown(path).removesuffix(".py").replace("/", "."))
    import_module("shared.journal.models")
    own = (f"services.{service}.", "shared.")
    return [m.class_ for m in Base.registry.mappers if m.class_.__module__.startswith(own)]


def differences(column: Column[Any], found: asyncpg.Record | None) -> list[str]:
    if found is None:
        return ["is not in the table"]
    wrong = []
    # A text with a length in the model, as an enumeration is, is a text with a check in the table.
    declared = re.sub(r"^VARCHAR\(\d+\)$", "VARCHAR", column.type.compile(postgresql.dialect()))
    actual = _type_of(found)
    if declared not in ALIKE.get(actual, {actual}):
        wrong.append(f"is {actual}, not {declared}")
    if bool(column.nullable) != found["nullable"]:
        wrong.append("can be null" if found["nullable"] else "cannot be null")
    return wrong


def _type_of(found: asyncpg.Record) -> str:
    if found["udt_name"] == "numeric":
        return f"NUMERIC({found['numeric_precision']}, {found['numeric_scale']})"
    return TYPE_NAMES.get(found["udt_name"], found["udt_name"])


@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_models_agree_with_the_tables(superuser, service):
    found: dict[str, dict[str, asyncpg.Record]] = {}
    for row in await superuser.fetch(COLUMNS, service):
        found.setdefault(row["table_name"], {})[row["column_name"]] = row

    wrong = []
    for model in models_of(service):
        table = model.__table__
        assert isinstance(table, Table)
        columns = found.get(table.name, {})
        wrong += [
            f"{table.name}.{column.name} {difference}"
            for column in table.columns
            for difference in differences(column, columns.get(column.name))
        ]
        # What the model does not know, the database must fill in.
        wrong += [
            f"{table.name}.{name} is needed and not in the model"
            for name, row in columns.items()
            if name not in table.columns and not row["nullable"] and not row["has_default"]
        ]

    assert found
    assert wrong == []


@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_every_table_and_column_is_in_a_model_or_has_its_reason(superuser, service):
    partitions = {row["relname"] for row in await superuser.fetch(PARTITIONS, service)}
    found: dict[str, set[str]] = {}
    for row in await superuser.fetch(COLUMNS, service):
        if row["table_name"] not in partitions:
            found.setdefault(row["table_name"], set()).add(row["column_name"])
    mapped = {model.__table__.name: model.__table__ for model in models_of(service)}

    unknown = [
        f"{name}.{column}"
        for name, table in mapped.items()
        for column in found[name] - set(table.columns.keys()) - UNMAPPED_COLUMNS.get(name, set())
        if column != "tenant_id"  # Set by the transaction, read by row-level security alone.
    ]

    assert set(found) - set(mapped) == set(UNMAPPED) | set(UNMAPPED_OF[service])
    assert sorted(unknown) == []


@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_every_tenant_table_has_row_level_security_forced(superuser, service):
    """A table with a tenant is under row-level security, its owner included."""
    open_tables = await superuser.fetch(
        """
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""",
        service,
    )

    assert [row["relname"] for row in open_tables] == []


@pytest.mark.asvs("F05")
@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_no_role_may_change_or_remove_what_was_recorded(superuser, service):
    """Ledger, journal and checkpoints are append-only by permission, partitions included."""
    rights = await superuser.fetch(
        """
        SELECT table_name, privilege_type FROM information_schema.table_privileges
        WHERE table_schema = $1 AND grantee = $1 || '_app'
          AND table_name ~ '^(journal|movements|checkpoints)'
          AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')""",
        service,
    )

    assert [tuple(row) for row in rights] == []


@pytest.mark.asvs("F05")
@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_no_role_reads_the_schema_of_another(superuser, service):
    others = [other.name for other in services() if other.name != service]
    readable = [
        other
        for other in others
        if await superuser.fetchval(
            "SELECT has_schema_privilege($1, $2, 'USAGE')", f"{service}_app", other
        )
    ]

    assert readable == []
