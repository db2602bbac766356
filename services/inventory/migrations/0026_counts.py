from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0026"
down_revision = "0025"

NO_LOT = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    _create_counts()
    _create_lines()
    _create_entries()
    # When a level was counted last is asked of the ledger.
    op.execute("""
        CREATE INDEX movements_counted ON inventory.movements
        (tenant_id, item_id, location_id, lot_id, occurred_at) WHERE kind = 'count_correction'""")


def _create_counts() -> None:
    op.execute(f"""
        CREATE TABLE inventory.counts (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            title text,
            scope jsonb NOT NULL,
            blind boolean NOT NULL,
            tolerance_percent numeric(18, 4),
            tolerance_quantity numeric(18, 4),
            state text NOT NULL,
            last_line int NOT NULL,
            opened_at timestamptz NOT NULL,
            opened_by text NOT NULL,
            closed_at timestamptz,
            closed_by text,
            reason text,
            version int NOT NULL DEFAULT 1,
            CONSTRAINT counts_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT counts_state CHECK (state IN ('open', 'posted', 'cancelled')),
            CONSTRAINT counts_closed CHECK (
                (state = 'open') = (closed_at IS NULL) AND (state = 'open') = (closed_by IS NULL)),
            CONSTRAINT counts_tolerance CHECK (
                tolerance_percent >= 0 AND tolerance_quantity >= 0)
        )""")
    tenant_table("inventory", "counts", "SELECT, INSERT, UPDATE")


def _create_lines() -> None:
    """A row for each level that is to be counted, and for each that was found besides.

    `counted` and `counted_at` follow from the entries of the present round. What is told once all
    is posted (`expected`, `result`, the movement) was decided by the ledger, under its locks.
    """
    op.execute(f"""
        CREATE TABLE inventory.count_lines (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            count_id uuid NOT NULL,
            number int NOT NULL,
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL DEFAULT '{NO_LOT}',
            found boolean NOT NULL,
            round int NOT NULL DEFAULT 1,
            same_counter boolean NOT NULL DEFAULT false,
            counted numeric(18, 4),
            counted_at timestamptz,
            disputed boolean NOT NULL DEFAULT false,
            result text,
            expected numeric(18, 4),
            moved boolean,
            movement_id uuid,
            CONSTRAINT count_lines_pkey PRIMARY KEY (tenant_id, count_id, number),
            CONSTRAINT count_lines_level
                UNIQUE (tenant_id, count_id, item_id, location_id, lot_id),
            CONSTRAINT count_lines_counted CHECK (
                (counted IS NULL) = (counted_at IS NULL) AND counted >= 0),
            CONSTRAINT count_lines_round CHECK (round >= 1),
            CONSTRAINT count_lines_result CHECK (
                result IN ('posted', 'zeroed', 'kept', 'left_out')
                AND (result IN ('posted', 'zeroed')) = (movement_id IS NOT NULL))
        )""")
    op.execute("""
        CREATE INDEX count_lines_at_location ON inventory.count_lines (tenant_id, location_id)""")
    _believe_in_many(
        "count_lines",
        "number, item_id, location_id, lot_id, found",
        "n, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), false",
        unselective=("tenant_id", "count_id", "location_id"),
    )
    for column, table in (("count", "counts"), ("item", "items"), ("location", "locations")):
        op.execute(f"""
            ALTER TABLE inventory.count_lines ADD CONSTRAINT count_lines_{column}
            FOREIGN KEY (tenant_id, {column}_id) REFERENCES inventory.{table} (tenant_id, id)""")
    tenant_table("inventory", "count_lines", "SELECT, INSERT, UPDATE")


def _create_entries() -> None:
    """What somebody said he counted; kept as it was said, for ever."""
    op.execute(f"""
        CREATE TABLE inventory.count_entries (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            count_id uuid NOT NULL,
            id uuid NOT NULL,
            seq bigint GENERATED ALWAYS AS IDENTITY,
            number int NOT NULL,
            round int NOT NULL,
            quantity numeric(18, 4),
            adds boolean NOT NULL,
            given_quantity numeric(18, 4),
            given_unit text,
            counter text NOT NULL,
            counter_id uuid NOT NULL,
            counted_at timestamptz NOT NULL,
            entered_at timestamptz NOT NULL,
            CONSTRAINT count_entries_pkey PRIMARY KEY (tenant_id, count_id, id),
            CONSTRAINT count_entries_quantity CHECK (quantity >= 0)
        )""")
    op.execute("""
        CREATE INDEX count_entries_of_line
        ON inventory.count_entries (tenant_id, count_id, number, seq)""")
    _believe_in_many(
        "count_entries",
        "id, number, round, quantity, adds, counter, counter_id, counted_at, entered_at",
        "gen_random_uuid(), n, 1, n, false, 'user:' || gen_random_uuid(), gen_random_uuid(), now(),"
        " now()",
        unselective=("tenant_id", "count_id"),
    )
    op.execute("""
        ALTER TABLE inventory.count_entries ADD CONSTRAINT count_entries_line
        FOREIGN KEY (tenant_id, count_id, number)
        REFERENCES inventory.count_lines (tenant_id, count_id, number)""")
    tenant_table("inventory", "count_entries", "SELECT, INSERT")


def _believe_in_many(
    table: str, columns: str, values: str, *, unselective: tuple[str, ...]
) -> None:
    """Let the planner believe from the first row on that a count has many.

    Else, until statistics come, ten thousand lines of a new count are for it one row, whatever
    index it takes; and it takes one by which it reads them all for each of them. Statistics are
    made of rows alone, so there are some meanwhile.
    """
    for column in unselective:
        op.execute(f"ALTER TABLE inventory.{table} ALTER COLUMN {column} SET (n_distinct = 20)")
    op.execute(f"""
        INSERT INTO inventory.{table} (tenant_id, count_id, {columns})
        SELECT gen_random_uuid(), gen_random_uuid(), {values} FROM generate_series(1, 1000) n""")
    op.execute(f"ANALYZE inventory.{table}")
    op.execute(f"DELETE FROM inventory.{table}")
