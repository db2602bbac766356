"""Accounts that are deactivated."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN deactivated_at timestamptz")
    op.execute("""
        CREATE OR REPLACE FUNCTION auth.count_active(at timestamptz)
        RETURNS TABLE (users bigint, sessions bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT (SELECT count(*) FROM users
                    WHERE locked_at IS NULL AND deactivated_at IS NULL),
                   (SELECT count(*) FROM sessions s JOIN users u
                        ON u.tenant_id = s.tenant_id AND u.id = s.user_id
                    WHERE s.revoked_at IS NULL AND s.expires_at > at
                        AND (u.sessions_ended_at IS NULL OR s.started_at >= u.sessions_ended_at))
        $$""")
