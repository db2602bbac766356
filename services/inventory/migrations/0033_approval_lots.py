from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Let an approval say which lot or serial it begins: there is no row of that yet."""
    op.execute("ALTER TABLE inventory.approval_lines ADD COLUMN lot text")
