"""Where a session was last used from, and keys for machines."""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.sessions ADD COLUMN device_sealed bytea")
    op.execute(f"""
        CREATE TABLE auth.api_keys (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            user_id uuid NOT NULL,
            name text NOT NULL
                CONSTRAINT api_keys_name_length CHECK (length(name) BETWEEN 1 AND 200),
            secret_index bytea NOT NULL
                CONSTRAINT api_keys_secret_index CHECK (octet_length(secret_index) = 32),
            scopes text[] NOT NULL CONSTRAINT api_keys_scopes CHECK (cardinality(scopes) > 0),
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            last_used_at timestamptz,
            revoked_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT api_keys_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    op.execute("CREATE INDEX api_keys_of_user ON auth.api_keys (tenant_id, user_id)")
    op.execute("""
        CREATE INDEX api_keys_revoked ON auth.api_keys (revoked_at)
        WHERE revoked_at IS NOT NULL""")
    tenant_table("auth", "api_keys", "SELECT, INSERT, UPDATE")
    # A key's access tokens carry its id as their session: the gateway refuses both by one list.
    op.execute("""
        CREATE OR REPLACE FUNCTION auth.revoked_sessions(since timestamptz)
        RETURNS TABLE (session_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT id FROM sessions WHERE revoked_at >= since
            UNION ALL
            SELECT id FROM api_keys WHERE revoked_at >= since
            ORDER BY 1
        $$""")
