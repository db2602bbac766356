from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Let stock be on its way: locations of type transit, and what is going where."""
    op.execute("ALTER TABLE inventory.locations DROP CONSTRAINT locations_type_check")
    op.execute("""
        ALTER TABLE inventory.locations ADD CONSTRAINT locations_type
        CHECK (type IN ('warehouse', 'zone', 'bin', 'transit'))""")
    op.execute(f"""
        CREATE TABLE inventory.transfers (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            from_id uuid NOT NULL,
            to_id uuid NOT NULL,
            via_id uuid NOT NULL,
            quantity numeric(18, 4) NOT NULL,
            received numeric(18, 4),
            reference text,
            dispatched_at timestamptz NOT NULL,
            dispatched_by text NOT NULL,
            received_at timestamptz,
            received_by text,
            reason text,
            CONSTRAINT transfers_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT transfers_quantity CHECK (quantity > 0 AND received >= 0),
            CONSTRAINT transfers_elsewhere CHECK (from_id <> to_id),
            CONSTRAINT transfers_received CHECK (
                (received IS NULL) = (received_at IS NULL)
                AND (received IS NULL) = (received_by IS NULL)),
            CONSTRAINT transfers_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id),
            CONSTRAINT transfers_from FOREIGN KEY (tenant_id, from_id)
                REFERENCES inventory.locations (tenant_id, id),
            CONSTRAINT transfers_to FOREIGN KEY (tenant_id, to_id)
                REFERENCES inventory.locations (tenant_id, id),
            CONSTRAINT transfers_via FOREIGN KEY (tenant_id, via_id)
                REFERENCES inventory.locations (tenant_id, id)
        )""")
    op.execute("""
        CREATE INDEX transfers_under_way ON inventory.transfers (tenant_id, to_id)
        WHERE received IS NULL""")
    tenant_table("inventory", "transfers", "SELECT, INSERT, UPDATE")
