from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0022"
down_revision = "0021"

NO_LOT = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    """Keep lots, and let one movement change any number of levels."""
    op.execute(f"""
        CREATE TABLE inventory.lots (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            item_id uuid NOT NULL,
            code text NOT NULL,
            key text NOT NULL,
            expires_on date,
            received_at timestamptz NOT NULL,
            version int NOT NULL DEFAULT 1,
            CONSTRAINT lots_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT lots_code UNIQUE (tenant_id, item_id, key),
            CONSTRAINT lots_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id),
            CONSTRAINT lots_code_length CHECK (length(code) BETWEEN 1 AND 64)
        )""")
    tenant_table("inventory", "lots", "SELECT, INSERT, UPDATE")
    op.execute("ALTER TABLE inventory.lots ALTER COLUMN tenant_id SET (n_distinct = 20)")
    op.execute("CREATE INDEX lots_key ON inventory.lots (tenant_id, key, item_id)")
    op.execute(f"""
        CREATE INDEX movements_lot ON inventory.movements (tenant_id, lot_id, seq)
        WHERE lot_id <> '{NO_LOT}'""")
    op.execute("ALTER TABLE inventory.movements DROP CONSTRAINT movements_leg_check")
    op.execute("""
        ALTER TABLE inventory.movements
        ADD CONSTRAINT movements_leg CHECK (leg >= 0) NOT VALID""")
