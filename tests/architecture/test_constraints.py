"""A refusal of the database is told by its constraint's name, so each is named on purpose."""

import re

import asyncpg
import pytest

from tests.support.tree import services

pytestmark = pytest.mark.stack

# What refuses a row: constraints, and unique indexes that are none. Partitions take after their
# parent; NOT NULL tells its column, and pgqueuer's tables are its own.
FOUND = """
    SELECT r.relname AS table, c.conname AS name FROM pg_constraint c
    JOIN pg_class r ON r.oid = c.conrelid
    WHERE c.connamespace = $1::regnamespace AND c.contype IN ('p', 'u', 'f', 'c', 'x')
      AND NOT r.relispartition AND r.relname !~ '^(pgqueuer|alembic_version)'
    UNION
    SELECT r.relname, i.relname FROM pg_index x
    JOIN pg_class r ON r.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE r.relnamespace = $1::regnamespace AND x.indisunique
      AND NOT r.relispartition AND r.relname !~ '^(pgqueuer|alembic_version)'"""
# How PostgreSQL ends the names that it makes up. A primary key's is as good as any.
MADE_UP = re.compile(r"_(key|fkey|check|excl)\d*$")
# Released before the rule: their names are made up, but the same wherever the migrations ran.
OF_EVERY_SERVICE = {
    "checkpoints_check", "checkpoints_size_check", "idempotency_keys_key_check",
}  # fmt: skip
OLD = {
    "auth": {
        "sessions_check", "sessions_counter_check", "sessions_tenant_id_user_id_fkey",
        "tenants_currency_check", "tenants_language_check", "tenants_name_check",
        "tenants_slug_check", "tenants_slug_key", "users_email_index_check",
        "users_language_check", "users_password_hash_check", "users_revision_check",
        "users_role_check", "users_tenant_id_email_index_key", "users_tenant_id_fkey",
        "users_token_version_check",
    },
    "inventory": {
        "items_code_check",
        "items_lead_time_days_check", "items_pack_size_check", "items_par_level_check",
        "items_reorder_point_check", "items_reorder_quantity_check", "items_tenant_id_id_key",
        "items_tracking_check", "locations_capacity_check", "locations_name_check",
        "locations_tenant_id_id_key", "movements_balance_after_check",
        "on_hand_not_negative", "prices_kind_check",
        "prices_source_check", "prices_tenant_id_item_id_fkey", "reserved_within_on_hand",
    },
    "forecasting": {
        "done_within_total", "forecasts_check", "forecasts_tenant_id_model_id_fkey",
        "job_items_state_check", "job_items_tenant_id_job_id_fkey",
        "jobs_forecast_periods_check", "jobs_state_check", "jobs_total_check",
        "jobs_training_days_check", "models_status_check", "models_tenant_id_job_item_id_fkey",
        "models_version_check",
    },
    "reporting": {
        "item_values_check", "item_values_held_check", "movement_days_movements_check",
        "tenants_currency_check",
    },
}  # fmt: skip
# Of each table with a tenant, the columns of its primary key.
KEYS = """
    SELECT r.relname AS table, array(
        SELECT a.attname FROM pg_constraint c, unnest(c.conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.number
        WHERE c.conrelid = r.oid AND c.contype = 'p' ORDER BY k.place)::text[] AS key
    FROM pg_class r JOIN pg_attribute t ON t.attrelid = r.oid AND t.attname = 'tenant_id'
    WHERE r.relnamespace = $1::regnamespace AND r.relkind IN ('r', 'p') AND NOT r.relispartition"""
# Released before the rule: keyed by an id alone, beside which (tenant_id, id) is unique.
KEYED_BY_ID = {("inventory", "items"), ("inventory", "locations"), ("inventory", "prices")}
# Only ever added to, in the order of a sequence; nothing refers to a row.
UNKEYED = {"journal", "movements"}


@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_the_key_of_a_table_leads_with_the_tenant(databases, service):
    connection = await asyncpg.connect(databases.superuser_dsn)
    found = {row["table"]: row["key"] for row in await connection.fetch(KEYS, service)}
    await connection.close()

    other = {table for table, key in found.items() if key[:1] != ["tenant_id"]}

    assert other - UNKEYED == {table for where, table in KEYED_BY_ID if where == service}


@pytest.mark.parametrize("service", [service.name for service in services()])
async def test_every_constraint_has_a_name_of_ours(databases, service):
    """`<table>_<rule>`, so that `conflicts` can say which rule a statement broke."""
    connection = await asyncpg.connect(databases.superuser_dsn)
    found = {row["name"]: row["table"] for row in await connection.fetch(FOUND, service)}
    await connection.close()
    accepted = OF_EVERY_SERVICE | OLD[service]

    unnamed = [
        name
        for name, table in found.items()
        if name not in accepted and (MADE_UP.search(name) or not name.startswith(f"{table}_"))
    ]

    assert found
    assert sorted(unnamed) == []
    assert sorted(accepted - set(found)) == []  # What is gone needs no exception.
