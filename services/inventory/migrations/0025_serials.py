from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Let a level be of a serial: a lot of which there is at most one unit anywhere.

    `serial_id` is the serial while its unit lies at the level, and null else. It is a column of its
    own since an index on what is on hand would make every movement of any level write to it.
    """
    op.execute("""
        ALTER TABLE inventory.levels
        ADD COLUMN is_serial boolean NOT NULL DEFAULT false,
        ADD COLUMN serial_id uuid,
        ADD CONSTRAINT levels_one_of_a_serial CHECK (
            (NOT is_serial OR on_hand IN (0, 1))
            AND serial_id IS NOT DISTINCT FROM
                CASE WHEN is_serial AND on_hand = 1 THEN lot_id END)""")
    op.execute("""
        CREATE UNIQUE INDEX levels_serial ON inventory.levels (tenant_id, serial_id)
        WHERE serial_id IS NOT NULL""")
    op.execute("""
        CREATE INDEX levels_of_serial ON inventory.levels (tenant_id, lot_id) WHERE is_serial""")
    op.execute("""
        CREATE INDEX levels_serials_at ON inventory.levels (tenant_id, item_id, location_id)
        WHERE serial_id IS NOT NULL""")
    op.execute("""
        ALTER TABLE inventory.transfers
        ADD COLUMN missing_serials text[] NOT NULL DEFAULT '{}'""")
