"""Second factors, and what must be done before a sign-in is finished."""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE auth.users
            ADD COLUMN password_change_required boolean NOT NULL DEFAULT false""")
    op.execute("""
        ALTER TABLE auth.tenants ADD COLUMN two_factor_required boolean NOT NULL DEFAULT false""")
    op.execute("ALTER TABLE auth.sessions ADD COLUMN proved_at timestamptz")
    op.execute("UPDATE auth.sessions SET proved_at = started_at")
    op.execute("ALTER TABLE auth.sessions ALTER COLUMN proved_at SET NOT NULL")
    op.execute(f"""
        CREATE TABLE auth.authenticators (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            user_id uuid NOT NULL,
            secret_sealed bytea,
            pending_sealed bytea,
            last_step bigint NOT NULL DEFAULT 0
                CONSTRAINT authenticators_last_step CHECK (last_step >= 0),
            confirmed_at timestamptz,
            PRIMARY KEY (tenant_id, user_id),
            CONSTRAINT authenticators_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id),
            CONSTRAINT authenticators_confirmed
                CHECK ((secret_sealed IS NULL) = (confirmed_at IS NULL))
        )""")
    tenant_table("auth", "authenticators")
    op.execute(f"""
        CREATE TABLE auth.recovery_codes (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            user_id uuid NOT NULL,
            code_index bytea NOT NULL
                CONSTRAINT recovery_codes_code_index CHECK (octet_length(code_index) = 32),
            used_at timestamptz,
            PRIMARY KEY (tenant_id, user_id, code_index),
            CONSTRAINT recovery_codes_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    tenant_table("auth", "recovery_codes")
