from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Let a transfer be cancelled: what was still in transit went back to where it left."""
    op.execute("""
        ALTER TABLE inventory.transfers
            ADD COLUMN returned numeric(18, 4),
            ADD CONSTRAINT transfers_returned CHECK (
                returned IS NULL OR (returned > 0 AND received IS NOT NULL
                    AND arrived + returned = quantity)) NOT VALID""")
