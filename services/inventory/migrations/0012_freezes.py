from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE inventory.freezes (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            scope text NOT NULL,
            item_id uuid,
            location_id uuid,
            reason text NOT NULL,
            frozen_at timestamptz NOT NULL,
            frozen_by text NOT NULL,
            lifted_at timestamptz,
            lifted_by text,
            note text,
            CONSTRAINT freezes_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT freezes_scope CHECK (
                (scope = 'item') = (item_id IS NOT NULL)
                AND (scope = 'location') = (location_id IS NOT NULL)
                AND scope IN ('everything', 'location', 'item')),
            CONSTRAINT freezes_lifted CHECK ((lifted_at IS NULL) = (lifted_by IS NULL)),
            CONSTRAINT freezes_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id),
            CONSTRAINT freezes_location FOREIGN KEY (tenant_id, location_id)
                REFERENCES inventory.locations (tenant_id, id)
        )""")
    op.execute("""
        CREATE UNIQUE INDEX freezes_once
        ON inventory.freezes (tenant_id, scope, coalesce(item_id, location_id))
        NULLS NOT DISTINCT WHERE lifted_at IS NULL""")
    tenant_table("inventory", "freezes", "SELECT, INSERT, UPDATE")
    for table in ("items", "locations"):
        op.execute(f"ALTER TABLE inventory.{table} ADD COLUMN frozen_by uuid")
