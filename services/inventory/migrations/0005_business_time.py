from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let each level know when its latest movement happened, and mark movements recorded late."""
    op.execute(
        "ALTER TABLE inventory.movements ADD COLUMN backdated boolean NOT NULL DEFAULT false"
    )
    op.execute("ALTER TABLE inventory.levels ADD COLUMN moved_at timestamptz")
    op.execute("""
        UPDATE inventory.levels v SET moved_at = m.latest
        FROM (
            SELECT tenant_id, item_id, location_id, lot_id, max(occurred_at) AS latest
            FROM inventory.movements GROUP BY 1, 2, 3, 4
        ) m
        WHERE (v.tenant_id, v.item_id, v.location_id, v.lot_id)
            = (m.tenant_id, m.item_id, m.location_id, m.lot_id)""")
