from alembic import op

from shared.migrations.foundation import narrow

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Tell whoever seals anew which webhooks have a secret that another key than this sealed."""
    op.execute("""
        CREATE FUNCTION inventory.webhooks_of_other_keys(key_id bytea)
        RETURNS TABLE (tenant_id uuid, id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            SELECT w.tenant_id, w.id FROM webhooks w
            WHERE substr(w.secret_sealed, 2, 4) <> key_id
                OR substr(w.previous_sealed, 2, 4) <> key_id
            ORDER BY w.tenant_id, w.id
        $$""")
    narrow("inventory", "webhooks_of_other_keys(bytea)")
