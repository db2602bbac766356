"""Several tokens of a purpose for one user; the mails that strangers ask for are counted."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.one_time_tokens DROP CONSTRAINT one_time_tokens_of_user")
    op.execute(
        "CREATE INDEX one_time_tokens_of_user ON auth.one_time_tokens (tenant_id, user_id, purpose)"
    )
    op.execute("""
        ALTER TABLE auth.attempts DROP CONSTRAINT attempts_kind,
            ADD CONSTRAINT attempts_kind CHECK (kind IN ('account', 'known', 'code', 'mail'))""")
