from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Let a line be posted of which nothing moves: a serial that is where it was."""
    op.execute("ALTER TABLE inventory.count_lines DROP CONSTRAINT count_lines_result")
    op.execute("""
        ALTER TABLE inventory.count_lines ADD CONSTRAINT count_lines_result CHECK (
            result IN ('posted', 'zeroed', 'kept', 'left_out')
            AND (movement_id IS NULL OR result IN ('posted', 'zeroed')))""")
