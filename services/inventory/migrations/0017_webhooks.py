"""Webhooks: who is told, of what, and how far that has come; and what following others needs."""

from alembic import op

from shared.migrations.following import create_rebuilds, create_set_aside
from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    create_set_aside("inventory")
    create_rebuilds("inventory")
    _create_webhooks()
    _create_events()
    _create_doors()


def _create_webhooks() -> None:
    op.execute(f"""
        CREATE TABLE inventory.webhooks (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            url text NOT NULL,
            description text,
            event_types text[],
            active boolean NOT NULL,
            disabled_reason text
                CONSTRAINT webhooks_disabled CHECK (disabled_reason IN ('failing', 'gone')),
            owner_id uuid NOT NULL,
            secret_sealed bytea NOT NULL,
            previous_sealed bytea,
            previous_until timestamptz,
            failing_since timestamptz,
            version int NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT webhooks_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT webhooks_off CHECK (NOT active OR disabled_reason IS NULL)
        )""")
    tenant_table("inventory", "webhooks")


def _create_events() -> None:
    op.execute(f"""
        CREATE TABLE inventory.webhook_sequences (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            last bigint NOT NULL,
            CONSTRAINT webhook_sequences_pkey PRIMARY KEY (tenant_id)
        )""")
    tenant_table("inventory", "webhook_sequences", "SELECT, INSERT, UPDATE")
    op.execute(f"""
        CREATE TABLE inventory.webhook_events (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            sequence bigint NOT NULL,
            id uuid NOT NULL,
            type text NOT NULL,
            happened_at timestamptz NOT NULL,
            payload text NOT NULL,
            CONSTRAINT webhook_events_pkey PRIMARY KEY (tenant_id, sequence),
            CONSTRAINT webhook_events_id UNIQUE (tenant_id, id)
        )""")
    op.execute("CREATE INDEX webhook_events_age ON inventory.webhook_events (happened_at)")
    tenant_table("inventory", "webhook_events", "SELECT, INSERT")
    op.execute(f"""
        CREATE TABLE inventory.webhook_deliveries (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            webhook_id uuid NOT NULL,
            sequence bigint NOT NULL,
            state text NOT NULL CONSTRAINT webhook_deliveries_state
                CHECK (state IN ('waiting', 'delivered', 'dead')),
            tries int NOT NULL,
            due_at timestamptz NOT NULL,
            finished_at timestamptz,
            status int,
            answer text,
            error text,
            CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, webhook_id, sequence),
            CONSTRAINT webhook_deliveries_webhook FOREIGN KEY (tenant_id, webhook_id)
                REFERENCES inventory.webhooks (tenant_id, id) ON DELETE CASCADE,
            CONSTRAINT webhook_deliveries_event FOREIGN KEY (tenant_id, sequence)
                REFERENCES inventory.webhook_events (tenant_id, sequence) ON DELETE CASCADE,
            CONSTRAINT webhook_deliveries_finished
                CHECK ((state = 'waiting') = (finished_at IS NULL))
        )""")
    op.execute(
        "CREATE INDEX webhook_deliveries_event "
        "ON inventory.webhook_deliveries (tenant_id, sequence)"
    )
    op.execute(
        "CREATE INDEX webhook_deliveries_due "
        "ON inventory.webhook_deliveries (tenant_id, webhook_id, due_at) WHERE state = 'waiting'"
    )
    op.execute(
        "CREATE INDEX webhook_deliveries_dead "
        "ON inventory.webhook_deliveries (tenant_id, webhook_id, sequence) WHERE state = 'dead'"
    )
    tenant_table("inventory", "webhook_deliveries", "SELECT, INSERT, UPDATE")


def _create_doors() -> None:
    """Create what the worker may do across tenants; none of it shows what an event says."""
    op.execute("""
        CREATE FUNCTION inventory.due_webhooks(at timestamptz)
        RETURNS TABLE (tenant_id uuid, id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            SELECT w.tenant_id, w.id FROM webhooks w
            WHERE w.active AND EXISTS (
                SELECT FROM webhook_deliveries d
                WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 'waiting'
                    AND d.due_at <= at)
            ORDER BY random()
        $$""")
    op.execute("""
        CREATE FUNCTION inventory.measure_webhooks(at timestamptz)
        RETURNS TABLE (waiting bigint, lag_s double precision)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            SELECT count(*), greatest(extract(epoch FROM at - min(d.due_at)), 0)::double precision
            FROM webhooks w JOIN webhook_deliveries d
                ON d.tenant_id = w.tenant_id AND d.webhook_id = w.id
            WHERE w.active AND d.state = 'waiting'
        $$""")
    op.execute("""
        CREATE FUNCTION inventory.forget_webhook_events(before timestamptz, most int)
        RETURNS bigint LANGUAGE sql SECURITY DEFINER
        SET search_path = inventory, pg_temp AS $$
            WITH old AS (
                SELECT e.tenant_id, e.sequence FROM webhook_events e
                WHERE e.happened_at < before ORDER BY e.happened_at LIMIT most
            ), gone AS (
                DELETE FROM webhook_events e USING old
                WHERE e.tenant_id = old.tenant_id AND e.sequence = old.sequence RETURNING 1
            ) SELECT count(*) FROM gone
        $$""")
    for signature in (
        "due_webhooks(timestamptz)",
        "measure_webhooks(timestamptz)",
        "forget_webhook_events(timestamptz, int)",
    ):
        narrow("inventory", signature)
