from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0002"
down_revision = "0001"

NO_LOT = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    _create_items()
    _create_locations()
    _create_levels()
    _create_ledger()
    _create_search()


def _create_items() -> None:
    op.execute(f"""
        CREATE TABLE inventory.items (
            id uuid PRIMARY KEY,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
            name_en text NOT NULL,
            name_fr text NOT NULL,
            description_en text NOT NULL DEFAULT '',
            description_fr text NOT NULL DEFAULT '',
            category text,
            unit text NOT NULL,
            pack_size numeric(18, 4) NOT NULL DEFAULT 1 CHECK (pack_size > 0),
            pack_unit text,
            tracking text NOT NULL DEFAULT 'none' CHECK (tracking IN ('none', 'lot', 'serial')),
            par_level numeric(18, 4) CHECK (par_level >= 0),
            reorder_point numeric(18, 4) CHECK (reorder_point >= 0),
            reorder_quantity numeric(18, 4) CHECK (reorder_quantity > 0),
            lead_time_days int CHECK (lead_time_days BETWEEN 0 AND 730),
            cost_id uuid,
            price_id uuid,
            active boolean NOT NULL DEFAULT true,
            version int NOT NULL DEFAULT 1,
            search_text text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT items_code UNIQUE (tenant_id, code),
            UNIQUE (tenant_id, id)
        )""")
    op.execute("CREATE INDEX items_category ON inventory.items (tenant_id, category, code)")
    op.execute(f"""
        CREATE TABLE inventory.barcodes (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            barcode text NOT NULL CHECK (length(barcode) BETWEEN 1 AND 64),
            item_id uuid NOT NULL,
            PRIMARY KEY (tenant_id, barcode),
            FOREIGN KEY (tenant_id, item_id) REFERENCES inventory.items (tenant_id, id)
        )""")
    op.execute("CREATE INDEX barcodes_item ON inventory.barcodes (tenant_id, item_id)")
    op.execute(f"""
        CREATE TABLE inventory.prices (
            id uuid PRIMARY KEY,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('cost', 'price')),
            source text NOT NULL CHECK (source IN ('item', 'receipt')),
            amount bytea NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            FOREIGN KEY (tenant_id, item_id) REFERENCES inventory.items (tenant_id, id)
        )""")
    op.execute("CREATE INDEX prices_item ON inventory.prices (tenant_id, item_id, recorded_at)")
    tenant_table("inventory", "items", "SELECT, INSERT, UPDATE")
    tenant_table("inventory", "barcodes")
    tenant_table("inventory", "prices", "SELECT, INSERT")


def _create_locations() -> None:
    op.execute(f"""
        CREATE TABLE inventory.locations (
            id uuid PRIMARY KEY,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
            type text NOT NULL CHECK (type IN ('warehouse', 'zone', 'bin')),
            parent_id uuid,
            capacity numeric(18, 4) CHECK (capacity > 0),
            version int NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT locations_name UNIQUE (tenant_id, name),
            UNIQUE (tenant_id, id),
            CONSTRAINT locations_parent FOREIGN KEY (tenant_id, parent_id)
                REFERENCES inventory.locations (tenant_id, id)
        )""")
    op.execute("CREATE INDEX locations_children ON inventory.locations (tenant_id, parent_id)")
    tenant_table("inventory", "locations")


def _create_levels() -> None:
    op.execute(f"""
        CREATE TABLE inventory.levels (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL DEFAULT '{NO_LOT}',
            on_hand numeric(18, 4) NOT NULL DEFAULT 0,
            reserved numeric(18, 4) NOT NULL DEFAULT 0,
            PRIMARY KEY (tenant_id, item_id, location_id, lot_id),
            CONSTRAINT on_hand_not_negative CHECK (on_hand >= 0),
            CONSTRAINT reserved_within_on_hand CHECK (reserved >= 0 AND reserved <= on_hand),
            FOREIGN KEY (tenant_id, item_id) REFERENCES inventory.items (tenant_id, id),
            FOREIGN KEY (tenant_id, location_id) REFERENCES inventory.locations (tenant_id, id)
        ) WITH (fillfactor = 70)""")
    op.execute("CREATE INDEX levels_location ON inventory.levels (tenant_id, location_id)")
    tenant_table("inventory", "levels", "SELECT, INSERT, UPDATE")


def _create_ledger() -> None:
    """Create the ledger: one row per change of one level; a transfer is two rows of one id."""
    op.execute("CREATE SEQUENCE inventory.movement_seq")
    op.execute(f"""
        CREATE TABLE inventory.movements (
            seq bigint NOT NULL DEFAULT nextval('inventory.movement_seq'),
            id uuid NOT NULL,
            leg smallint NOT NULL DEFAULT 0 CHECK (leg IN (0, 1)),
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            kind text NOT NULL,
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL DEFAULT '{NO_LOT}',
            quantity numeric(18, 4) NOT NULL,
            balance_after numeric(18, 4) NOT NULL CHECK (balance_after >= 0),
            cost_id uuid,
            reason text,
            reference text,
            actor text NOT NULL,
            occurred_at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL
        ) PARTITION BY RANGE (recorded_at)""")
    op.execute("CREATE TABLE inventory.movements_rest PARTITION OF inventory.movements DEFAULT")
    op.execute("CREATE INDEX movements_item ON inventory.movements (tenant_id, item_id, seq)")
    op.execute("CREATE INDEX movements_id ON inventory.movements (id)")
    op.execute("CREATE INDEX movements_order ON inventory.movements (tenant_id, seq)")
    tenant_table("inventory", "movements", "SELECT, INSERT")
    op.execute("GRANT USAGE ON SEQUENCE inventory.movement_seq TO inventory_app")


def _create_search() -> None:
    """Create the search, as the owner: under row-level security no trigram index can be used.

    The tenant is the session's, as everywhere; the function can see no other.
    """
    op.execute("CREATE INDEX items_search ON inventory.items USING gin (search_text gin_trgm_ops)")
    op.execute(f"""
        CREATE FUNCTION inventory.search_items(query text, most int)
        RETURNS TABLE (id uuid, rank real) LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = inventory, public, pg_temp
        SET pg_trgm.word_similarity_threshold = 0.45 AS $$
            SELECT i.id, word_similarity(query, i.search_text) AS rank FROM items i
            WHERE i.tenant_id = {TENANT} AND i.active AND query <% i.search_text
            ORDER BY rank DESC, length(i.search_text), i.id LIMIT most
        $$""")
    op.execute("REVOKE ALL ON FUNCTION inventory.search_items(text, int) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION inventory.search_items(text, int) TO inventory_app")
