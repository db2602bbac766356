from alembic import op

from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Let what is worth more than somebody may change alone wait for somebody else."""
    _create_approvals()
    _create_lines()
    _create_limits()
    _let_workers_see_all_tenants()


def _create_approvals() -> None:
    """What is asked never changes: the service may update what becomes of it alone."""
    op.execute(f"""
        CREATE TABLE inventory.approvals (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            kind text NOT NULL,
            cause text NOT NULL,
            content jsonb NOT NULL,
            content_hash bytea NOT NULL,
            value bytea,
            line_count int NOT NULL,
            requester_id uuid NOT NULL,
            requested_by text NOT NULL,
            opened_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            state text NOT NULL DEFAULT 'open',
            decider_id uuid,
            decided_by text,
            decided_at timestamptz,
            note text,
            movements uuid[],
            version int NOT NULL DEFAULT 1,
            CONSTRAINT approvals_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT approvals_state CHECK (
                state IN ('open', 'approved', 'rejected', 'withdrawn', 'expired', 'stale')),
            CONSTRAINT approvals_decided CHECK (
                (state = 'open') = (decided_at IS NULL)
                AND (state = 'open') = (decided_by IS NULL)),
            CONSTRAINT approvals_four_eyes CHECK (
                state NOT IN ('approved', 'rejected')
                OR (decider_id IS NOT NULL AND decider_id <> requester_id))
        )""")
    op.execute("""
        CREATE INDEX approvals_state_id ON inventory.approvals (tenant_id, state, id)""")
    op.execute("""
        CREATE INDEX approvals_requester ON inventory.approvals (tenant_id, requester_id, id)""")
    op.execute("""
        CREATE INDEX approvals_due ON inventory.approvals (expires_at) WHERE state = 'open'""")
    tenant_table("inventory", "approvals", "SELECT, INSERT")
    op.execute("""
        GRANT UPDATE (state, decider_id, decided_by, decided_at, note, movements, version)
        ON inventory.approvals TO inventory_app""")


def _create_lines() -> None:
    op.execute(f"""
        CREATE TABLE inventory.approval_lines (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            approval_id uuid NOT NULL,
            line int NOT NULL,
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL,
            quantity numeric(18, 4) NOT NULL,
            on_hand numeric(18, 4) NOT NULL,
            movement_kind text NOT NULL,
            reason_code text,
            reason text,
            reference text,
            occurred_at timestamptz NOT NULL,
            CONSTRAINT approval_lines_pkey PRIMARY KEY (tenant_id, approval_id, line, lot_id),
            CONSTRAINT approval_lines_approval FOREIGN KEY (tenant_id, approval_id)
                REFERENCES inventory.approvals (tenant_id, id),
            CONSTRAINT approval_lines_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id),
            CONSTRAINT approval_lines_location FOREIGN KEY (tenant_id, location_id)
                REFERENCES inventory.locations (tenant_id, id)
        )""")
    op.execute("""
        CREATE INDEX approval_lines_of_item
        ON inventory.approval_lines (tenant_id, item_id, approval_id)""")
    op.execute("""
        CREATE INDEX approval_lines_at_location
        ON inventory.approval_lines (tenant_id, location_id, approval_id)""")
    tenant_table("inventory", "approval_lines", "SELECT, INSERT")


def _create_limits() -> None:
    """The limits of a tenant, and what each person changed alone lately, which they count."""
    op.execute(f"""
        CREATE TABLE inventory.approval_limits (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id int NOT NULL DEFAULT 1,
            amounts jsonb NOT NULL,
            quantity_without_cost numeric(18, 4),
            changed_at timestamptz NOT NULL,
            changed_by text NOT NULL,
            version int NOT NULL,
            CONSTRAINT approval_limits_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT approval_limits_once CHECK (id = 1),
            CONSTRAINT approval_limits_quantity CHECK (quantity_without_cost >= 0)
        )""")
    tenant_table("inventory", "approval_limits", "SELECT, INSERT, UPDATE")
    op.execute(f"""
        CREATE TABLE inventory.approval_limit_uses (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            person_id uuid NOT NULL,
            item_id uuid NOT NULL,
            quantity numeric(24, 4) NOT NULL,
            used_at timestamptz NOT NULL,
            CONSTRAINT approval_limit_uses_pkey PRIMARY KEY (tenant_id, id)
        )""")
    op.execute("""
        CREATE INDEX approval_limit_uses_of_person ON inventory.approval_limit_uses
        (tenant_id, person_id, item_id, used_at)""")
    op.execute("""
        CREATE INDEX approval_limit_uses_age ON inventory.approval_limit_uses (used_at)""")
    tenant_table("inventory", "approval_limit_uses", "SELECT, INSERT")


def _let_workers_see_all_tenants() -> None:
    """Tell whoever sweeps in which tenants an approval is due, and forget what counts no more."""
    op.execute("""
        CREATE FUNCTION inventory.tenants_with_due_approvals(at timestamptz)
        RETURNS TABLE (tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            SELECT DISTINCT a.tenant_id FROM approvals a
            WHERE a.state = 'open' AND a.expires_at <= at
        $$""")
    narrow("inventory", "tenants_with_due_approvals(timestamptz)")
    op.execute("""
        CREATE FUNCTION inventory.forget_limit_uses(before timestamptz)
        RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            WITH gone AS (
                DELETE FROM approval_limit_uses WHERE used_at < before RETURNING 1
            ) SELECT count(*) FROM gone
        $$""")
    narrow("inventory", "forget_limit_uses(timestamptz)")
