from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Let the locations of type transit be found among many."""
    op.execute("""
        CREATE INDEX locations_transit ON inventory.locations (tenant_id, id)
        WHERE type = 'transit'""")
