from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE inventory.items ADD COLUMN maximum numeric(18, 4) "
        "CONSTRAINT items_maximum_not_negative CHECK (maximum >= 0)"
    )
    # What may be low at all, in the order of the list.
    op.execute(
        "CREATE INDEX items_planned ON inventory.items (tenant_id, code) "
        "WHERE active AND (reorder_point IS NOT NULL OR par_level IS NOT NULL)"
    )
    op.execute(f"""
        CREATE TABLE inventory.planning (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            par_level numeric(18, 4) CONSTRAINT planning_par_level CHECK (par_level >= 0),
            reorder_point numeric(18, 4)
                CONSTRAINT planning_reorder_point CHECK (reorder_point >= 0),
            reorder_quantity numeric(18, 4)
                CONSTRAINT planning_reorder_quantity CHECK (reorder_quantity > 0),
            maximum numeric(18, 4) CONSTRAINT planning_maximum CHECK (maximum >= 0),
            version int NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT planning_pkey PRIMARY KEY (tenant_id, item_id, location_id),
            CONSTRAINT planning_of_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id),
            CONSTRAINT planning_at_location FOREIGN KEY (tenant_id, location_id)
                REFERENCES inventory.locations (tenant_id, id) ON DELETE CASCADE
        )""")
    op.execute("CREATE INDEX planning_by_location ON inventory.planning (tenant_id, location_id)")
    tenant_table("inventory", "planning")
