"""When a user's language changed: access tokens made before it carry another one."""

from alembic import op

from shared.migrations.foundation import narrow

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN language_changed_at timestamptz")
    # Read by a door across tenants, as users_raised is.
    op.execute("""
        CREATE INDEX users_language_changed ON auth.users (language_changed_at)
        WHERE language_changed_at IS NOT NULL""")
    op.execute("""
        CREATE FUNCTION auth.changed_languages(since timestamptz)
        RETURNS TABLE (user_id uuid, language text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
            SELECT u.id, coalesce(u.language, t.language)
            FROM users u JOIN tenants t ON t.id = u.tenant_id
            WHERE u.language_changed_at >= since ORDER BY u.id
        $$""")
    narrow("auth", "changed_languages(timestamptz)")
