"""What may be issued of a level at this instant: nothing of a lot that has expired."""

from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Let the view tell what is available beside what lies there and is reserved."""
    op.execute("""
        CREATE OR REPLACE VIEW inventory.levels_now WITH (security_invoker = true) AS
        SELECT n.*,
               CASE WHEN n.lot_id <> '00000000-0000-0000-0000-000000000000' AND (
                   SELECT t.expires_on FROM inventory.lots t WHERE t.id = n.lot_id
               ) < CAST(now() AT TIME ZONE 'UTC' AS date) THEN 0
               ELSE n.on_hand - n.reserved END AS available
        FROM (
            SELECT v.item_id, v.location_id, v.lot_id, v.on_hand,
                   CASE WHEN v.holds_until <= now() THEN v.reserved - coalesce((
                       SELECT sum(h.held) FROM inventory.reservation_holds h
                       WHERE h.tenant_id = v.tenant_id AND h.item_id = v.item_id
                           AND h.location_id = v.location_id AND h.lot_id = v.lot_id
                           AND h.held > 0 AND h.expires_at <= now()), 0)
                   ELSE v.reserved END AS reserved,
                   v.is_serial, v.serial_id
            FROM inventory.levels v
        ) n""")
