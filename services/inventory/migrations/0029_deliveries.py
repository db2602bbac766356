from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Let a transfer arrive in several deliveries, and be counted in a unit of the item."""
    op.execute("""
        ALTER TABLE inventory.transfers
        ADD COLUMN arrived numeric(18, 4) NOT NULL DEFAULT 0,
        ADD COLUMN added numeric(18, 4) NOT NULL DEFAULT 0,
        ADD COLUMN given_quantity numeric(18, 4),
        ADD COLUMN given_unit text,
        ADD CONSTRAINT transfers_arrived CHECK (arrived BETWEEN 0 AND quantity AND added >= 0),
        ADD CONSTRAINT transfers_given
            CHECK ((given_quantity IS NULL) = (given_unit IS NULL) AND given_quantity > 0)""")
    op.execute("""
        UPDATE inventory.transfers
        SET arrived = least(received, quantity), added = greatest(received - quantity, 0)
        WHERE received IS NOT NULL""")
    op.execute("""
        ALTER TABLE inventory.transfer_parts
        ADD COLUMN arrived numeric(18, 4) NOT NULL DEFAULT 0,
        ADD CONSTRAINT transfer_parts_arrived CHECK (arrived BETWEEN 0 AND quantity)""")
    _part_serials()


def _part_serials() -> None:
    """Let what is under way of serials be told serial by serial."""
    op.execute("""
        DELETE FROM inventory.transfer_parts p USING inventory.transfers t, inventory.items i
        WHERE t.tenant_id = p.tenant_id AND t.id = p.transfer_id AND t.received IS NULL
            AND i.tenant_id = t.tenant_id AND i.id = t.item_id AND i.tracking = 'serial'""")
    op.execute("""
        INSERT INTO inventory.transfer_parts (tenant_id, transfer_id, lot_id, quantity)
        SELECT t.tenant_id, t.id, m.lot_id, sum(m.quantity)
        FROM inventory.transfers t
        JOIN inventory.items i ON i.tenant_id = t.tenant_id AND i.id = t.item_id
            AND i.tracking = 'serial'
        JOIN inventory.movements m ON m.tenant_id = t.tenant_id AND m.id = t.id
            AND m.location_id = t.via_id
        WHERE t.received IS NULL GROUP BY t.tenant_id, t.id, m.lot_id""")
