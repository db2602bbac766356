"""Another address for a user: asked for, and confirmed by a token that was sent to it."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.one_time_tokens ADD COLUMN email_sealed bytea")
    op.execute("""
        ALTER TABLE auth.one_time_tokens DROP CONSTRAINT one_time_tokens_purpose,
            ADD CONSTRAINT one_time_tokens_purpose
                CHECK (purpose IN ('verify', 'reset', 'invite', 'address')),
            ADD CONSTRAINT one_time_tokens_email
                CHECK ((purpose = 'address') = (email_sealed IS NOT NULL))""")
    op.execute("""
        ALTER TABLE auth.errands DROP CONSTRAINT errands_kind,
            ADD CONSTRAINT errands_kind
                CHECK (kind IN ('registration', 'verification', 'reset', 'address'))""")
