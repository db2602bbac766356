from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Let items be made of others, and the movements of an assembly belong together."""
    op.execute(f"""
        CREATE TABLE inventory.kits (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            version int NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT kits_pkey PRIMARY KEY (tenant_id, item_id),
            CONSTRAINT kits_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id)
        )""")
    tenant_table("inventory", "kits")
    op.execute(f"""
        CREATE TABLE inventory.kit_components (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            kit_id uuid NOT NULL,
            item_id uuid NOT NULL,
            quantity numeric(18, 4) NOT NULL,
            CONSTRAINT kit_components_pkey PRIMARY KEY (tenant_id, kit_id, item_id),
            CONSTRAINT kit_components_quantity CHECK (quantity > 0),
            CONSTRAINT kit_components_other CHECK (kit_id <> item_id),
            CONSTRAINT kit_components_kit FOREIGN KEY (tenant_id, kit_id)
                REFERENCES inventory.kits (tenant_id, item_id) ON DELETE CASCADE,
            CONSTRAINT kit_components_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id)
        )""")
    op.execute("""
        CREATE INDEX kit_components_used ON inventory.kit_components (tenant_id, item_id)""")
    tenant_table("inventory", "kit_components")
    op.execute("ALTER TABLE inventory.movements ADD COLUMN part_of uuid")
    op.execute("""
        ALTER TABLE inventory.movements ADD CONSTRAINT movements_assembled
        CHECK (kind NOT IN ('assembly', 'disassembly') OR part_of IS NOT NULL) NOT VALID""")
    op.execute("""
        CREATE INDEX movements_part ON inventory.movements (tenant_id, part_of)
        WHERE part_of IS NOT NULL""")
