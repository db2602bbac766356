"""What was mailed, asked and begun is forgotten once it has ended, as sessions are."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
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
            ), gone_tokens AS (
                DELETE FROM one_time_tokens WHERE expires_at < ended_before RETURNING 1
            ), gone_challenges AS (
                DELETE FROM passkey_challenges WHERE expires_at < ended_before RETURNING 1
            ), gone_recoveries AS (
                DELETE FROM factor_recoveries WHERE expires_at < ended_before RETURNING 1
            ), gone_sign_ins AS (
                DELETE FROM provided_sign_ins WHERE expires_at < ended_before RETURNING 1
            ) SELECT (SELECT count(*) FROM gone_sessions) + (SELECT count(*) FROM gone_attempts)
                + (SELECT count(*) FROM gone_networks) + (SELECT count(*) FROM gone_tokens)
                + (SELECT count(*) FROM gone_challenges) + (SELECT count(*) FROM gone_recoveries)
                + (SELECT count(*) FROM gone_sign_ins)
        $$""")
