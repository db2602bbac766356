from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Let a count name a serial that was never seen: there is no row of that until it is posted."""
    op.execute("ALTER TABLE inventory.count_lines ADD COLUMN serial text")
