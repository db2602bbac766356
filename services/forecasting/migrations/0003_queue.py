"""PgQueuer's own tables, as `pgq sql install` of version 1.6.0 writes them for this schema.

A test compares them with what the installed version expects; a newer one gets a migration.
"""

import re
from pathlib import Path

from alembic import op

from shared.migrations.foundation import grant, narrow

revision = "0003"
down_revision = "0002"

TABLES = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
LOG_KEPT = "7 days"


def upgrade() -> None:
    # The driver sends one statement at a time; the trigger function holds semicolons of its own.
    for statement in re.split(r";\n\n(?=CREATE)", Path(__file__).with_suffix(".sql").read_text()):
        op.execute(statement)
    for table in TABLES:
        grant("forecasting", table, "SELECT, INSERT, UPDATE, DELETE")
        op.execute(f"GRANT USAGE ON SEQUENCE forecasting.{table}_id_seq TO forecasting_app")
    _create_housekeeping()
    _create_orphans()


def _create_housekeeping() -> None:
    op.execute(f"""
        CREATE FUNCTION forecasting.forget_queue_log() RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path = forecasting, pg_temp AS $$
            DELETE FROM pgqueuer_log WHERE created < now() - interval '{LOG_KEPT}';
            DELETE FROM pgqueuer_statistics WHERE created < now() - interval '{LOG_KEPT}';
        $$""")
    narrow("forecasting", "forget_queue_log()")


def _create_orphans() -> None:
    """Create the look across tenants for work that no entry of the queue stands for any more."""
    op.execute("""
        CREATE FUNCTION forecasting.orphaned_job_items()
        RETURNS TABLE (tenant_id uuid, id uuid) LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = forecasting, pg_temp AS $$
            SELECT i.tenant_id, i.id FROM job_items i
            WHERE i.state IN ('queued', 'running')
                AND NOT EXISTS (SELECT FROM pgqueuer q WHERE q.id = i.queue_id)
            LIMIT 1000
        $$""")
    narrow("forecasting", "orphaned_job_items()")
