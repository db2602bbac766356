"""What lies of each lot, so that what has expired is not counted on from the day after on.

Figures of lots that came before are there after a rebuild; until then these count as they did.
"""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE forecasting.lots (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            item_id uuid NOT NULL,
            expires_on date,
            on_hand numeric(24, 4) NOT NULL,
            CONSTRAINT lots_pkey PRIMARY KEY (tenant_id, id)
        ) WITH (fillfactor = 70)""")
    op.execute("""
        CREATE INDEX lots_of_item ON forecasting.lots (tenant_id, item_id, expires_on)
        WHERE on_hand > 0""")
    tenant_table("forecasting", "lots", "SELECT, INSERT, UPDATE")
    op.execute("""
        CREATE OR REPLACE FUNCTION forecasting.clear_read_models() RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = forecasting, pg_temp AS $$
            TRUNCATE items, levels, consumption, lots
        $$""")
