"""What lies of each lot, so that what has expired counts for nothing from the day after on.

Figures of lots that came before are there after a rebuild; until then these count as they did.
"""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE reporting.lots (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            item_id uuid NOT NULL,
            expires_on date,
            on_hand numeric(24, 4) NOT NULL,
            CONSTRAINT lots_pkey PRIMARY KEY (tenant_id, id)
        ) WITH (fillfactor = 70)""")
    op.execute("""
        CREATE INDEX lots_by_expiry ON reporting.lots (tenant_id, expires_on, item_id)
        WHERE on_hand > 0""")
    tenant_table("reporting", "lots")
    op.execute("""
        CREATE OR REPLACE FUNCTION reporting.clear_read_models()
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = reporting, pg_temp AS $$
            TRUNCATE tenants, items, locations, unit_costs, levels, item_values, movement_days, lots
        $$""")
