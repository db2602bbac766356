"""Requests to recover a second factor that was lost."""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN factor_lost_at timestamptz")
    op.execute(f"""
        CREATE TABLE auth.factor_recoveries (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            user_id uuid NOT NULL,
            requested_by uuid NOT NULL,
            requester_tenant_id uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT factor_recoveries_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT factor_recoveries_of_user UNIQUE (tenant_id, user_id),
            CONSTRAINT factor_recoveries_not_own CHECK (requested_by <> user_id),
            CONSTRAINT factor_recoveries_time CHECK (expires_at > requested_at),
            CONSTRAINT factor_recoveries_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    tenant_table("auth", "factor_recoveries")
