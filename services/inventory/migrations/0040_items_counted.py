from alembic import op

from shared.migrations.foundation import narrow

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Let the worker count the items of all tenants, and see nothing else of them."""
    op.execute("""
        CREATE FUNCTION inventory.count_active_items()
        RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = inventory, pg_temp AS $$
            SELECT count(*) FROM items WHERE active
        $$""")
    narrow("inventory", "count_active_items()")
