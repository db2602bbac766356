from alembic import op

from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Keep sums of the ledger, so that no question of the past reads all of it."""
    _create_snapshots()
    _create_sums()
    _create_due()
    # What happened of an item at a time, however long ago: the part of a day that no sum has.
    op.execute(
        "CREATE INDEX movements_happened ON inventory.movements (tenant_id, item_id, occurred_at)"
    )
    op.execute("GRANT SELECT ON SEQUENCE inventory.movement_seq TO inventory_app")


def _create_snapshots() -> None:
    """Create the stretches into which the ledger is cut by the time of recording.

    All that was recorded after `known_at` has a `seq` beyond `after_seq`, all that was recorded by
    then one of at most `upto_seq`. One without `made_at` is being summed, item by item.
    """
    op.execute(f"""
        CREATE TABLE inventory.snapshots (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            number int NOT NULL,
            known_at timestamptz NOT NULL,
            after_seq bigint NOT NULL,
            upto_seq bigint NOT NULL,
            summed_upto uuid,
            made_at timestamptz,
            CONSTRAINT snapshots_pkey PRIMARY KEY (tenant_id, number),
            CONSTRAINT snapshots_once UNIQUE (tenant_id, known_at),
            CONSTRAINT snapshots_number CHECK (number > 0)
        )""")
    tenant_table("inventory", "snapshots")


def _create_sums() -> None:
    """Create what came to a level or left it, by the day in which it happened, in a stretch.

    And the same by months for several stretches together, under the number of the last of them.
    """
    op.execute(f"""
        CREATE TABLE inventory.snapshot_sums (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            grain text NOT NULL,
            number int NOT NULL,
            since date NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL,
            quantity numeric NOT NULL,
            CONSTRAINT snapshot_sums_pkey
                PRIMARY KEY (tenant_id, item_id, grain, number, since, location_id, lot_id),
            CONSTRAINT snapshot_sums_grain CHECK (grain IN ('day', 'month'))
        )""")
    tenant_table("inventory", "snapshot_sums")
    op.execute("ALTER TABLE inventory.snapshot_sums ALTER COLUMN tenant_id SET (n_distinct = 20)")


def _create_due() -> None:
    """Create the function that names the tenants with a snapshot to make, going from one to next.

    Of each it reads at most as many rows of an index as a snapshot needs.
    """
    op.execute("""
        CREATE FUNCTION inventory.tenants_with_due_snapshots(size int)
        RETURNS TABLE (tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            WITH RECURSIVE tenant AS (
                (SELECT i.tenant_id AS id FROM items i ORDER BY i.tenant_id LIMIT 1)
                UNION ALL
                SELECT (SELECT i.tenant_id FROM items i WHERE i.tenant_id > t.id
                        ORDER BY i.tenant_id LIMIT 1)
                FROM tenant t WHERE t.id IS NOT NULL
            )
            SELECT t.id FROM tenant t
            WHERE t.id IS NOT NULL AND (
                EXISTS (SELECT FROM snapshots s WHERE s.tenant_id = t.id AND s.made_at IS NULL)
                OR EXISTS (
                    SELECT FROM movements m
                    WHERE m.tenant_id = t.id AND m.seq > coalesce((
                        SELECT s.after_seq FROM snapshots s WHERE s.tenant_id = t.id
                        ORDER BY s.number DESC LIMIT 1), 0)
                    OFFSET size - 1))
        $$""")
    narrow("inventory", "tenants_with_due_snapshots(int)")
