"""Legal holds: what may not be removed, whatever its age."""

from alembic import op

from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE auth.legal_holds (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            kind text,
            first_day date,
            last_day date,
            reason text NOT NULL,
            placed_by uuid NOT NULL,
            placed_at timestamptz NOT NULL,
            lift_reason text,
            lift_asked_by uuid,
            lift_asked_at timestamptz,
            lifted_by uuid,
            lifted_at timestamptz,
            CONSTRAINT legal_holds_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT legal_holds_kind CHECK (kind IN ('transactions', 'movements', 'prices')),
            CONSTRAINT legal_holds_days CHECK (first_day <= last_day),
            CONSTRAINT legal_holds_reason CHECK (length(reason) BETWEEN 1 AND 500),
            CONSTRAINT legal_holds_asked CHECK (
                (lift_asked_by IS NULL) = (lift_asked_at IS NULL)
                AND (lift_asked_by IS NULL) = (lift_reason IS NULL)),
            CONSTRAINT legal_holds_lifted CHECK (
                (lifted_by IS NULL) = (lifted_at IS NULL)
                AND (lifted_by IS NULL OR lift_asked_by IS NOT NULL)),
            CONSTRAINT legal_holds_two_people CHECK (lifted_by <> lift_asked_by)
        )""")
    tenant_table("auth", "legal_holds", "SELECT, INSERT, UPDATE")
    op.execute("""
        CREATE FUNCTION auth.active_legal_holds()
        RETURNS TABLE (id uuid, tenant_id uuid, kind text, first_day date, last_day date)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT id, tenant_id, kind, first_day, last_day FROM legal_holds
            WHERE lifted_at IS NULL
        $$""")
    narrow("auth", "active_legal_holds()")
