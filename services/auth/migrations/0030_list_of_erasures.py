"""Who makes backups learns who was erased, to keep a list of them outside the database."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    # The role that makes backups selects from no table; ids are all that it learns.
    op.execute("""
        CREATE FUNCTION auth.list_erased()
        RETURNS TABLE (tenant_id uuid, user_id uuid, erased_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT u.tenant_id, u.id, u.erased_at FROM users u
            WHERE u.erased_at IS NOT NULL ORDER BY u.erased_at, u.id
        $$""")
    op.execute("CREATE INDEX users_erased_ones ON auth.users (id) WHERE erased_at IS NOT NULL")
    op.execute("REVOKE ALL ON FUNCTION auth.list_erased() FROM PUBLIC")
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'stock_backup') THEN
                GRANT EXECUTE ON FUNCTION auth.list_erased() TO stock_backup;
            END IF;
        END $$""")
