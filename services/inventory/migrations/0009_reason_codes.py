from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Let movements say why in a word that can be counted, and write-offs always."""
    op.execute("ALTER TABLE inventory.movements ADD COLUMN reason_code text")
    op.execute("""
        ALTER TABLE inventory.movements ADD CONSTRAINT movements_written_off
        CHECK (kind <> 'write_off' OR (reason_code IS NOT NULL AND quantity < 0)) NOT VALID""")
