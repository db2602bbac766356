"""The kit that was being made or taken apart where a page of inventory's journal ended.

Values of kits that came before are right after a rebuild; until then they stay as they were.
"""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE reporting.open_assemblies (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            part_of uuid NOT NULL,
            parts_sealed bytea NOT NULL,
            CONSTRAINT open_assemblies_pkey PRIMARY KEY (tenant_id)
        ) WITH (fillfactor = 70)""")
    tenant_table("reporting", "open_assemblies")
    op.execute("""
        CREATE OR REPLACE FUNCTION reporting.clear_read_models()
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = reporting, pg_temp AS $$
            TRUNCATE tenants, items, locations, unit_costs, levels, item_values, movement_days,
                     lots, open_assemblies
        $$""")
