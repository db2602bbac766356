from alembic import op

from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0002"
down_revision = "0001"

SCHEMA = "forecasting"


def upgrade() -> None:
    _create_read_models()
    _create_jobs()
    _create_models()
    _create_overview()


def _create_read_models() -> None:
    """Create what follows inventory's journal. A page may bring a level's changes out of their
    order, so nothing here insists that stock is not negative: inventory has made sure of it.
    """
    op.execute(f"""
        CREATE TABLE forecasting.items (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            code text NOT NULL,
            name_en text NOT NULL,
            name_fr text NOT NULL,
            unit text NOT NULL,
            pack_size numeric(18, 4) NOT NULL,
            pack_unit text,
            reorder_quantity numeric(18, 4),
            lead_time_days int,
            active boolean NOT NULL,
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, code)
        )""")
    op.execute(f"""
        CREATE TABLE forecasting.levels (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            on_hand numeric(18, 4) NOT NULL,
            reserved numeric(18, 4) NOT NULL DEFAULT 0,
            PRIMARY KEY (tenant_id, item_id, location_id)
        ) WITH (fillfactor = 70)""")
    op.execute(f"""
        CREATE TABLE forecasting.consumption (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            day date NOT NULL,
            issued numeric(18, 4) NOT NULL,
            received numeric(18, 4) NOT NULL,
            transferred numeric(18, 4) NOT NULL,
            adjusted numeric(18, 4) NOT NULL,
            counted numeric(18, 4) NOT NULL,
            PRIMARY KEY (tenant_id, item_id, day, location_id)
        ) WITH (fillfactor = 70)""")
    op.execute("CREATE INDEX consumption_day ON forecasting.consumption (tenant_id, day)")
    for table in ("items", "levels", "consumption"):
        tenant_table(SCHEMA, table, "SELECT, INSERT, UPDATE")
    op.execute("""
        CREATE FUNCTION forecasting.clear_read_models() RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = forecasting, pg_temp AS $$
            TRUNCATE items, levels, consumption
        $$""")
    narrow(SCHEMA, "clear_read_models()")


def _create_jobs() -> None:
    op.execute(f"""
        CREATE TABLE forecasting.jobs (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            state text NOT NULL
                CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            model_type text NOT NULL,
            training_days int NOT NULL CHECK (training_days > 0),
            forecast_periods int NOT NULL CHECK (forecast_periods > 0),
            country text,
            total int NOT NULL CHECK (total > 0),
            done int NOT NULL DEFAULT 0,
            failed int NOT NULL DEFAULT 0,
            actor text NOT NULL,
            request_id text NOT NULL,
            created_at timestamptz NOT NULL,
            started_at timestamptz,
            finished_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT done_within_total CHECK (failed <= done AND done <= total)
        )""")
    op.execute(f"""
        CREATE TABLE forecasting.job_items (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            job_id uuid NOT NULL,
            item_id uuid NOT NULL,
            item_code text NOT NULL,
            state text NOT NULL
                CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            queue_id bigint NOT NULL,
            crashes int NOT NULL DEFAULT 0,
            error jsonb,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT job_items_once UNIQUE (tenant_id, job_id, item_id),
            FOREIGN KEY (tenant_id, job_id) REFERENCES forecasting.jobs (tenant_id, id)
        )""")
    op.execute(
        "CREATE INDEX job_items_pending ON forecasting.job_items (queue_id) "
        "WHERE state IN ('queued', 'running')"
    )
    for table in ("jobs", "job_items"):
        tenant_table(SCHEMA, table, "SELECT, INSERT, UPDATE")


def _create_models() -> None:
    """Create models and their forecasts; a model never changes but for its status.

    They outlive the read models, so nothing refers to items.
    """
    op.execute(f"""
        CREATE TABLE forecasting.models (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            item_id uuid NOT NULL,
            item_code text NOT NULL,
            version int NOT NULL CHECK (version > 0),
            status text NOT NULL CHECK (status IN ('active', 'archived')),
            model_type text NOT NULL,
            requested text NOT NULL,
            weights jsonb NOT NULL,
            payload jsonb NOT NULL,
            data_hash text NOT NULL,
            train_from date NOT NULL,
            train_to date NOT NULL,
            usable_days int NOT NULL,
            demand_class text NOT NULL,
            origins int NOT NULL,
            backtest_horizon int NOT NULL,
            accuracy jsonb NOT NULL,
            baseline jsonb NOT NULL,
            beats_baseline boolean NOT NULL,
            candidates jsonb NOT NULL,
            failures jsonb NOT NULL,
            duration_s double precision NOT NULL,
            job_item_id uuid NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT models_version UNIQUE (tenant_id, item_id, version),
            CONSTRAINT models_once UNIQUE (tenant_id, job_item_id),
            FOREIGN KEY (tenant_id, job_item_id) REFERENCES forecasting.job_items (tenant_id, id)
        )""")
    op.execute(
        "CREATE UNIQUE INDEX models_one_active ON forecasting.models (tenant_id, item_id) "
        "WHERE status = 'active'"
    )
    op.execute("CREATE INDEX models_newest ON forecasting.models (tenant_id, id DESC)")
    op.execute(f"""
        CREATE TABLE forecasting.forecasts (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            model_id uuid NOT NULL,
            first_day date NOT NULL,
            last_day date NOT NULL CHECK (last_day >= first_day),
            points jsonb NOT NULL,
            sum_error_variance double precision[] NOT NULL,
            PRIMARY KEY (tenant_id, model_id),
            FOREIGN KEY (tenant_id, model_id) REFERENCES forecasting.models (tenant_id, id)
        )""")
    op.execute("GRANT UPDATE (status) ON forecasting.models TO forecasting_app")
    for table in ("models", "forecasts"):
        tenant_table(SCHEMA, table, "SELECT, INSERT")


def _create_overview() -> None:
    """Create the look across tenants that the gauges need: what is active, the worst first."""
    op.execute("""
        CREATE FUNCTION forecasting.active_models()
        RETURNS TABLE (item text, model_type text, mape double precision)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = forecasting, pg_temp AS $$
            SELECT item_code, model_type, (accuracy ->> 'mape')::double precision
            FROM models WHERE status = 'active' ORDER BY 3 DESC NULLS LAST
        $$""")
    narrow(SCHEMA, "active_models()")
