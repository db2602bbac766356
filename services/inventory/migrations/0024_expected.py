from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Let a transfer say when it is expected, and which lots it carries."""
    op.execute("ALTER TABLE inventory.transfers ADD COLUMN expected_at timestamptz")
    op.execute("ALTER TABLE inventory.transfers ADD COLUMN version int NOT NULL DEFAULT 1")
    op.execute("""
        CREATE INDEX transfers_expected ON inventory.transfers (tenant_id, item_id, expected_at)
        WHERE received IS NULL""")
    op.execute(f"""
        CREATE TABLE inventory.transfer_parts (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            transfer_id uuid NOT NULL,
            lot_id uuid NOT NULL,
            quantity numeric(18, 4) NOT NULL,
            CONSTRAINT transfer_parts_pkey PRIMARY KEY (tenant_id, transfer_id, lot_id),
            CONSTRAINT transfer_parts_quantity CHECK (quantity > 0),
            CONSTRAINT transfer_parts_transfer FOREIGN KEY (tenant_id, transfer_id)
                REFERENCES inventory.transfers (tenant_id, id)
        )""")
    op.execute("""
        INSERT INTO inventory.transfer_parts (tenant_id, transfer_id, lot_id, quantity)
        SELECT t.tenant_id, t.id, m.lot_id, sum(m.quantity)
        FROM inventory.transfers t
        JOIN inventory.movements m ON m.tenant_id = t.tenant_id AND m.id = t.id
            AND m.location_id = t.via_id
        WHERE t.received IS NULL GROUP BY t.tenant_id, t.id, m.lot_id""")
    tenant_table("inventory", "transfer_parts", "SELECT, INSERT, UPDATE")
