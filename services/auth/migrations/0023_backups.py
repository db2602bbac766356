"""What a restore does to tokens, and how backups get into the journal."""

from alembic import op

from shared.migrations.foundation import narrow

revision = "0023"
down_revision = "0022"

DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION auth.end_all_sessions(at timestamptz) RETURNS bigint
        LANGUAGE sql SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            WITH ended AS (
                UPDATE sessions SET revoked_at = at
                WHERE revoked_at IS NULL AND expires_at > at RETURNING 1
            ), gone_tokens AS (
                DELETE FROM one_time_tokens
            ), gone_challenges AS (
                DELETE FROM passkey_challenges
            ), gone_sign_ins AS (
                DELETE FROM provided_sign_ins
            ) SELECT count(*) FROM ended
        $$""")
    narrow("auth", "end_all_sessions(timestamptz)")
    # The role that makes backups selects from no table; it notes what it did by this alone.
    op.execute(f"""
        CREATE FUNCTION auth.record_backup(
            entry_id uuid, entry_type text, subject text, content json
        ) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = auth, pg_temp AS $$
        BEGIN
            IF entry_type NOT LIKE 'auth.backup-%' THEN
                RAISE EXCEPTION 'not an entry of backups: %', entry_type;
            END IF;
            INSERT INTO journal (id, tenant_id, actor, request_id, type, subject, data)
            VALUES (entry_id, '{DEFAULT_TENANT}', 'backup', '', entry_type, subject, content);
        END $$""")
    op.execute("REVOKE ALL ON FUNCTION auth.record_backup(uuid, text, text, json) FROM PUBLIC")
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'stock_backup') THEN
                GRANT EXECUTE ON FUNCTION auth.record_backup(uuid, text, text, json)
                    TO stock_backup;
            END IF;
        END $$""")
