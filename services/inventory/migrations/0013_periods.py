from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE inventory.periods (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            last_day date NOT NULL,
            closed_at timestamptz NOT NULL,
            closed_by text NOT NULL,
            note text,
            reopened_at timestamptz,
            reopened_by text,
            reason text,
            CONSTRAINT periods_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT periods_over CHECK (last_day < (closed_at AT TIME ZONE 'UTC')::date),
            CONSTRAINT periods_reopened CHECK (
                (reopened_at IS NULL) = (reopened_by IS NULL)
                AND (reopened_at IS NULL) = (reason IS NULL))
        )""")
    op.execute("""
        CREATE UNIQUE INDEX periods_once ON inventory.periods (tenant_id, last_day)
        WHERE reopened_at IS NULL""")
    tenant_table("inventory", "periods", "SELECT, INSERT, UPDATE")
