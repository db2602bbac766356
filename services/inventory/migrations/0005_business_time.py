from alembic import op

revision = "0005"
down_revision = "0004"

# As many tenants as the planner is to believe in, whatever it counts: see below.
TENANTS_BELIEVED = 20


def upgrade() -> None:
    _know_business_time()
    _keep_tenants_unselective()


def _know_business_time() -> None:
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


def _keep_tenants_unselective() -> None:
    """Let no statistics say that a tenant has one row.

    Among many small tenants that is the mean, and the planner then finds one item of a large tenant
    by the tenant alone: it reads a hundred thousand rows for one.
    """
    for table in ("items", "identifiers", "locations", "levels"):
        op.execute(
            f"ALTER TABLE inventory.{table} ALTER COLUMN tenant_id "
            f"SET (n_distinct = {TENANTS_BELIEVED})"
        )
        op.execute(f"ANALYZE inventory.{table}")
