"""Addresses that are verified, tokens sent by mail, and the mail itself."""

from alembic import op

from shared.migrations.foundation import TENANT, narrow, tenant_table

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE auth.tenants ADD COLUMN registration text NOT NULL DEFAULT 'invite'
            CONSTRAINT tenants_registration CHECK (registration IN ('open', 'invite', 'closed'))""")
    op.execute("ALTER TABLE auth.users ADD COLUMN verified_at timestamptz")
    op.execute("ALTER TABLE auth.users ADD COLUMN approved_at timestamptz")
    op.execute("UPDATE auth.users SET verified_at = created_at, approved_at = created_at")
    op.execute(f"""
        CREATE TABLE auth.one_time_tokens (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            user_id uuid NOT NULL,
            purpose text NOT NULL
                CONSTRAINT one_time_tokens_purpose CHECK (purpose IN ('verify', 'reset', 'invite')),
            secret_index bytea NOT NULL
                CONSTRAINT one_time_tokens_secret CHECK (octet_length(secret_index) = 32),
            token_version int NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT one_time_tokens_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT one_time_tokens_of_user UNIQUE (tenant_id, user_id, purpose),
            CONSTRAINT one_time_tokens_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    tenant_table("auth", "one_time_tokens")
    _create_errands()
    _create_mails()


def _create_errands() -> None:
    op.execute(f"""
        CREATE TABLE auth.errands (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            kind text NOT NULL CONSTRAINT errands_kind
                CHECK (kind IN ('registration', 'verification', 'reset')),
            asked_sealed bytea NOT NULL,
            tries int NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL,
            CONSTRAINT errands_pkey PRIMARY KEY (tenant_id, id)
        )""")
    op.execute("CREATE INDEX errands_due ON auth.errands (due_at)")
    tenant_table("auth", "errands")
    op.execute("""
        CREATE FUNCTION auth.due_errands(at timestamptz, most int)
        RETURNS TABLE (tenant_id uuid, id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT e.tenant_id, e.id FROM errands e WHERE e.due_at <= at
            ORDER BY e.due_at, e.id LIMIT most
        $$""")
    narrow("auth", "due_errands(timestamptz, int)")


def _create_mails() -> None:
    op.execute(f"""
        CREATE TABLE auth.mails (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            mail_sealed bytea NOT NULL,
            tries int NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL,
            CONSTRAINT mails_pkey PRIMARY KEY (tenant_id, id)
        )""")
    op.execute("CREATE INDEX mails_due ON auth.mails (due_at)")
    tenant_table("auth", "mails")
    op.execute("""
        CREATE FUNCTION auth.due_mails(at timestamptz, most int)
        RETURNS TABLE (tenant_id uuid, id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT m.tenant_id, m.id FROM mails m WHERE m.due_at <= at
            ORDER BY m.due_at, m.id LIMIT most
        $$""")
    narrow("auth", "due_mails(timestamptz, int)")
