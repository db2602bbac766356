"""Attempts to prove who one is, by account, code and network; networks that are known."""

from alembic import op

from shared.migrations.foundation import TENANT, grant, tenant_table

revision = "0008"
down_revision = "0007"

_TALLY = """
            attempts int NOT NULL CONSTRAINT {table}_attempts CHECK (attempts >= 0),
            attempted_at timestamptz NOT NULL,
            blocked_until timestamptz NOT NULL"""


def upgrade() -> None:
    op.execute("DROP TABLE auth.sign_in_attempts")
    op.execute(f"""
        CREATE TABLE auth.attempts (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            kind text NOT NULL
                CONSTRAINT attempts_kind CHECK (kind IN ('account', 'known', 'code')),
            key bytea NOT NULL CONSTRAINT attempts_key_length CHECK (octet_length(key) = 32),
            {_TALLY.format(table="attempts")},
            CONSTRAINT attempts_pkey PRIMARY KEY (tenant_id, kind, key)
        )""")
    op.execute("CREATE INDEX attempts_age ON auth.attempts (attempted_at)")
    tenant_table("auth", "attempts")
    # Whoever guesses at many accounts does not stop at a tenant.
    op.execute(f"""
        CREATE TABLE auth.network_attempts (
            network bytea CONSTRAINT network_attempts_pkey PRIMARY KEY
                CONSTRAINT network_attempts_network CHECK (octet_length(network) = 32),
            {_TALLY.format(table="network_attempts")}
        )""")
    op.execute("CREATE INDEX network_attempts_age ON auth.network_attempts (attempted_at)")
    grant("auth", "network_attempts", "SELECT, INSERT, UPDATE, DELETE")
    op.execute(f"""
        CREATE TABLE auth.known_networks (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            user_id uuid NOT NULL,
            network bytea NOT NULL
                CONSTRAINT known_networks_network CHECK (octet_length(network) = 32),
            last_seen_at timestamptz NOT NULL,
            CONSTRAINT known_networks_pkey PRIMARY KEY (tenant_id, user_id, network),
            CONSTRAINT known_networks_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    tenant_table("auth", "known_networks")
    op.execute("""
        CREATE OR REPLACE FUNCTION auth.forget_ended(
            ended_before timestamptz, attempts_before timestamptz
        ) RETURNS bigint
        LANGUAGE sql SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            WITH gone_sessions AS (
                DELETE FROM sessions
                WHERE expires_at < ended_before OR revoked_at < ended_before RETURNING 1
            ), gone_attempts AS (
                DELETE FROM attempts WHERE attempted_at < attempts_before RETURNING 1
            ), gone_networks AS (
                DELETE FROM network_attempts WHERE attempted_at < attempts_before RETURNING 1
            ) SELECT (SELECT count(*) FROM gone_sessions) + (SELECT count(*) FROM gone_attempts)
                + (SELECT count(*) FROM gone_networks)
        $$""")
