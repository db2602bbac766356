"""Persons can be erased: of the account an id stays, and the journal's names lose their key."""

from alembic import op

from shared.migrations.foundation import TENANT, narrow

revision = "0029"
down_revision = "0028"

# Every table that has rows of a person beside his own.
TABLES = (
    "one_time_tokens", "passkey_challenges", "passkeys", "recovery_codes", "authenticators",
    "factor_recoveries", "provided_sign_ins", "identity_links", "provisioned_users", "api_keys",
    "sessions", "known_networks",
)  # fmt: skip


def upgrade() -> None:
    # What an erased person's row may hold, the database itself sees to.
    op.execute("""
        ALTER TABLE auth.users
            ADD COLUMN erased_at timestamptz,
            ADD COLUMN profile_key_sealed bytea,
            ALTER COLUMN email_sealed DROP NOT NULL,
            ADD CONSTRAINT users_erased CHECK (
                CASE WHEN erased_at IS NULL THEN email_sealed IS NOT NULL
                ELSE deactivated_at IS NOT NULL AND email_sealed IS NULL AND name_sealed IS NULL
                    AND profile_key_sealed IS NULL AND locations IS NULL AND language IS NULL
                END)""")
    # The service's role removes no session and no key; whose they were must have been erased.
    statements = "\n".join(
        f"            DELETE FROM {table} WHERE tenant_id = {TENANT} AND user_id = person;"
        for table in TABLES
    )
    op.execute(f"""
        CREATE FUNCTION auth.remove_rows_of_erased(person uuid) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = auth, pg_temp AS $$
        BEGIN
            PERFORM FROM users WHERE tenant_id = {TENANT} AND id = person
                AND erased_at IS NOT NULL;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'not erased: %', person;
            END IF;
{statements}
        END $$""")
    narrow("auth", "remove_rows_of_erased(uuid)")
