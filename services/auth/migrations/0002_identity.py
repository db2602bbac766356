"""Tenants, users, sessions, counted sign-ins, and the doors past row-level security."""

from alembic import op

from shared.migrations.foundation import TENANT, grant, narrow, tenant_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _create_tenants()
    _create_users()
    _create_sessions()
    _create_sign_in_attempts()
    _create_doors()


def _create_tenants() -> None:
    # The list of tenants is itself not of one tenant: a sign-in looks its tenant up in it.
    op.execute("""
        CREATE TABLE auth.tenants (
            id uuid PRIMARY KEY,
            slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
            language text NOT NULL CHECK (language IN ('en', 'fr')),
            currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
            created_at timestamptz NOT NULL
        )""")
    grant("auth", "tenants", "SELECT, INSERT")


def _create_users() -> None:
    op.execute(f"""
        CREATE TABLE auth.users (
            tenant_id uuid NOT NULL DEFAULT {TENANT} REFERENCES auth.tenants (id),
            id uuid NOT NULL,
            email_index bytea NOT NULL CHECK (octet_length(email_index) = 32),
            email_sealed bytea NOT NULL,
            name_sealed bytea,
            password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
            role text NOT NULL CHECK (role IN ('admin', 'manager', 'clerk', 'viewer', 'auditor')),
            language text CHECK (language IN ('en', 'fr')),
            locked_at timestamptz,
            sessions_ended_at timestamptz,
            token_version int NOT NULL DEFAULT 1 CHECK (token_version > 0),
            token_version_raised_at timestamptz,
            revision int NOT NULL DEFAULT 1 CHECK (revision > 0),
            created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, email_index)
        )""")
    # Read by a door across tenants: what was revoked lately.
    op.execute("""
        CREATE INDEX users_raised ON auth.users (token_version_raised_at)
        WHERE token_version_raised_at IS NOT NULL""")
    tenant_table("auth", "users", "SELECT, INSERT, UPDATE")


def _create_sessions() -> None:
    op.execute(f"""
        CREATE TABLE auth.sessions (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            user_id uuid NOT NULL,
            counter bigint NOT NULL DEFAULT 0 CHECK (counter >= 0),
            methods text[] NOT NULL,
            started_at timestamptz NOT NULL,
            refreshed_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL CHECK (expires_at > started_at),
            revoked_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    op.execute("CREATE INDEX sessions_user ON auth.sessions (tenant_id, user_id)")
    op.execute("""
        CREATE INDEX sessions_revoked ON auth.sessions (revoked_at)
        WHERE revoked_at IS NOT NULL""")
    op.execute("CREATE INDEX sessions_expiry ON auth.sessions (expires_at)")
    tenant_table("auth", "sessions", "SELECT, INSERT, UPDATE")


def _create_sign_in_attempts() -> None:
    op.execute(f"""
        CREATE TABLE auth.sign_in_attempts (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            account bytea NOT NULL CHECK (octet_length(account) = 32),
            window_started_at timestamptz NOT NULL,
            attempts int NOT NULL CHECK (attempts > 0),
            PRIMARY KEY (tenant_id, account)
        )""")
    op.execute("CREATE INDEX sign_in_attempts_age ON auth.sign_in_attempts (window_started_at)")
    tenant_table("auth", "sign_in_attempts")


def _create_doors() -> None:
    """Create the narrow ways past row-level security: what the gateway and the worker need."""
    op.execute("""
        CREATE FUNCTION auth.revoked_sessions(since timestamptz)
        RETURNS TABLE (session_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT id FROM sessions WHERE revoked_at >= since ORDER BY id
        $$""")
    op.execute("""
        CREATE FUNCTION auth.raised_versions(since timestamptz)
        RETURNS TABLE (user_id uuid, version int)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT id, token_version FROM users
            WHERE token_version_raised_at >= since ORDER BY id
        $$""")
    op.execute("""
        CREATE FUNCTION auth.count_active(at timestamptz)
        RETURNS TABLE (users bigint, sessions bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT (SELECT count(*) FROM users WHERE locked_at IS NULL),
                   (SELECT count(*) FROM sessions s JOIN users u
                        ON u.tenant_id = s.tenant_id AND u.id = s.user_id
                    WHERE s.revoked_at IS NULL AND s.expires_at > at
                        AND (u.sessions_ended_at IS NULL OR s.started_at >= u.sessions_ended_at))
        $$""")
    op.execute("""
        CREATE FUNCTION auth.forget_ended(ended_before timestamptz, attempts_before timestamptz)
        RETURNS bigint
        LANGUAGE sql SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            WITH gone_sessions AS (
                DELETE FROM sessions
                WHERE expires_at < ended_before OR revoked_at < ended_before RETURNING 1
            ), gone_attempts AS (
                DELETE FROM sign_in_attempts WHERE window_started_at < attempts_before RETURNING 1
            ) SELECT (SELECT count(*) FROM gone_sessions) + (SELECT count(*) FROM gone_attempts)
        $$""")
    narrow("auth", "revoked_sessions(timestamptz)")
    narrow("auth", "raised_versions(timestamptz)")
    narrow("auth", "count_active(timestamptz)")
    narrow("auth", "forget_ended(timestamptz, timestamptz)")
