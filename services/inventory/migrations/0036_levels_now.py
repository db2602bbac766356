"""What lies at levels, as it is at this instant: a hold whose time is over holds nothing."""

from alembic import op

from shared.migrations.foundation import grant

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Give those who only read the levels without what is due and not given back yet.

    It is looked for only where the level's first hold is due. The view adds no rights: row-level
    security is that of who asks.
    """
    op.execute("""
        CREATE VIEW inventory.levels_now WITH (security_invoker = true) AS
        SELECT v.item_id, v.location_id, v.lot_id, v.on_hand,
               CASE WHEN v.holds_until <= now() THEN v.reserved - coalesce((
                   SELECT sum(h.held) FROM inventory.reservation_holds h
                   WHERE h.tenant_id = v.tenant_id AND h.item_id = v.item_id
                       AND h.location_id = v.location_id AND h.lot_id = v.lot_id
                       AND h.held > 0 AND h.expires_at <= now()), 0)
               ELSE v.reserved END AS reserved,
               v.is_serial, v.serial_id
        FROM inventory.levels v""")
    grant("inventory", "levels_now", "SELECT")
