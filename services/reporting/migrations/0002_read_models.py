from alembic import op

from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0002"
down_revision = "0001"

READ_MODELS = (
    "tenants", "items", "locations", "unit_costs", "levels", "item_values", "movement_days"
)  # fmt: skip


def upgrade() -> None:
    _create_audit_trail()
    _create_tenants()
    _create_catalogue()
    _create_stock()
    _create_doors()


def _create_audit_trail() -> None:
    """Create the copy of every journal; a rebuild leaves it, since it is only ever added to."""
    op.execute(f"""
        CREATE TABLE reporting.audit_entries (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            recorded_at timestamptz NOT NULL,
            service text NOT NULL,
            seq bigint NOT NULL,
            id uuid NOT NULL,
            actor text NOT NULL,
            request_id text NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            data json NOT NULL,
            PRIMARY KEY (tenant_id, recorded_at, service, seq)
        ) PARTITION BY RANGE (recorded_at)""")
    op.execute(
        "CREATE TABLE reporting.audit_entries_rest PARTITION OF reporting.audit_entries DEFAULT"
    )
    for column in ("subject", "actor", "type", "request_id"):
        op.execute(
            f"CREATE INDEX audit_entries_{column} ON reporting.audit_entries "
            f"(tenant_id, {column}, recorded_at, service, seq)"
        )
    tenant_table("reporting", "audit_entries", "SELECT, INSERT")


def _create_tenants() -> None:
    op.execute(f"""
        CREATE TABLE reporting.tenants (
            tenant_id uuid PRIMARY KEY DEFAULT {TENANT},
            currency text CHECK (length(currency) = 3)
        )""")
    tenant_table("reporting", "tenants")


def _create_catalogue() -> None:
    op.execute(f"""
        CREATE TABLE reporting.items (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            code text NOT NULL,
            name_en text NOT NULL,
            name_fr text NOT NULL,
            category text,
            unit text NOT NULL,
            pack_size numeric(18, 4) NOT NULL,
            par_level numeric(18, 4),
            reorder_point numeric(18, 4),
            reorder_quantity numeric(18, 4),
            lead_time_days int,
            active boolean NOT NULL,
            PRIMARY KEY (tenant_id, id)
        )""")
    op.execute("CREATE INDEX items_code ON reporting.items (tenant_id, code)")
    op.execute(f"""
        CREATE TABLE reporting.locations (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            name text NOT NULL,
            type text NOT NULL,
            PRIMARY KEY (tenant_id, id)
        )""")
    op.execute(f"""
        CREATE TABLE reporting.unit_costs (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            item_id uuid NOT NULL,
            amount bytea NOT NULL,
            PRIMARY KEY (tenant_id, id)
        )""")
    for table in ("items", "locations", "unit_costs"):
        tenant_table("reporting", table)


def _create_stock() -> None:
    """Create what follows movements.

    Levels may be below zero for a moment: of two movements that ran at once the journal may give
    the later one first.
    """
    op.execute(f"""
        CREATE TABLE reporting.levels (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            on_hand numeric(24, 4) NOT NULL,
            PRIMARY KEY (tenant_id, item_id, location_id)
        ) WITH (fillfactor = 70)""")
    op.execute(f"""
        CREATE TABLE reporting.item_values (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            held numeric(24, 4) NOT NULL CHECK (held >= 0),
            owed numeric(24, 4) NOT NULL CHECK (owed = 0 OR owed > held),
            amount bytea NOT NULL,
            PRIMARY KEY (tenant_id, item_id)
        ) WITH (fillfactor = 70)""")
    op.execute(f"""
        CREATE TABLE reporting.movement_days (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            day date NOT NULL,
            kind text NOT NULL,
            movements bigint NOT NULL CHECK (movements > 0),
            PRIMARY KEY (tenant_id, day, kind)
        )""")
    for table in ("levels", "item_values", "movement_days"):
        tenant_table("reporting", table)


def _create_doors() -> None:
    """Create what the service may do across tenants: empty its read models, name the tenants."""
    tables = ", ".join(READ_MODELS)
    op.execute(f"""
        CREATE FUNCTION reporting.clear_read_models()
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = reporting, pg_temp AS $$
            TRUNCATE {tables}
        $$""")
    op.execute("""
        CREATE FUNCTION reporting.list_tenants()
        RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = reporting, pg_temp AS $$ SELECT tenant_id FROM tenants ORDER BY 1 $$""")
    narrow("reporting", "clear_read_models()")
    narrow("reporting", "list_tenants()")
