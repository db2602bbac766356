from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Let the use of an item over some days be summed without its other movements."""
    op.execute("""
        CREATE INDEX movements_used ON inventory.movements (tenant_id, item_id, occurred_at)
        INCLUDE (id, location_id, kind, quantity) WHERE kind IN ('issue', 'return')""")
    op.execute("""
        CREATE INDEX locations_transit ON inventory.locations (tenant_id, id)
        WHERE type = 'transit'""")
