from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0020"
down_revision = "0019"

NO_LOT = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    op.execute("ALTER TABLE inventory.levels ADD COLUMN holds_until timestamptz")
    op.execute(f"""
        CREATE TABLE inventory.reservations (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            reference text,
            expires_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            CONSTRAINT reservations_pkey PRIMARY KEY (tenant_id, id)
        )""")
    op.execute("""
        CREATE INDEX reservations_reference ON inventory.reservations (tenant_id, reference, id)
        WHERE reference IS NOT NULL""")
    tenant_table("inventory", "reservations", "SELECT, INSERT, UPDATE")
    _create_holds()
    _let_the_due_be_found()


def _create_holds() -> None:
    """A row for each level that a line of a reservation holds something at.

    What it was for at first is held still, or was committed, released or left to expire. The
    ledger changes its rows under the lock of the level, which counts what is held in `reserved`.
    """
    op.execute(f"""
        CREATE TABLE inventory.reservation_holds (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            reservation_id uuid NOT NULL,
            line int NOT NULL,
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL DEFAULT '{NO_LOT}',
            quantity numeric(18, 4) NOT NULL,
            held numeric(18, 4) NOT NULL,
            committed numeric(18, 4) NOT NULL DEFAULT 0,
            released numeric(18, 4) NOT NULL DEFAULT 0,
            expired numeric(18, 4) NOT NULL DEFAULT 0,
            expires_at timestamptz NOT NULL,
            CONSTRAINT reservation_holds_pkey
                PRIMARY KEY (tenant_id, reservation_id, line, location_id, lot_id),
            CONSTRAINT reservation_holds_add_up CHECK (
                quantity > 0 AND held >= 0 AND committed >= 0 AND released >= 0 AND expired >= 0
                AND held + committed + released + expired = quantity),
            CONSTRAINT reservation_holds_reservation FOREIGN KEY (tenant_id, reservation_id)
                REFERENCES inventory.reservations (tenant_id, id),
            CONSTRAINT reservation_holds_level
                FOREIGN KEY (tenant_id, item_id, location_id, lot_id)
                REFERENCES inventory.levels (tenant_id, item_id, location_id, lot_id)
        )""")
    op.execute("""
        CREATE INDEX reservation_holds_at_level ON inventory.reservation_holds
        (tenant_id, item_id, location_id, lot_id, expires_at) WHERE held > 0""")
    op.execute("""
        CREATE INDEX reservation_holds_due ON inventory.reservation_holds (expires_at)
        WHERE held > 0""")
    tenant_table("inventory", "reservation_holds", "SELECT, INSERT, UPDATE")


def _let_the_due_be_found() -> None:
    """Tell whoever sweeps in which tenants something is due; a session sees only its own."""
    op.execute("""
        CREATE FUNCTION inventory.tenants_with_due_holds(at timestamptz)
        RETURNS TABLE (tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            SELECT DISTINCT h.tenant_id FROM reservation_holds h
            WHERE h.held > 0 AND h.expires_at <= at
        $$""")
    op.execute("REVOKE ALL ON FUNCTION inventory.tenants_with_due_holds(timestamptz) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION inventory.tenants_with_due_holds(timestamptz) TO inventory_app"
    )
