"""Keys that sign tokens, so that they can be changed while the system runs."""

from alembic import op

from shared.migrations.foundation import grant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # Of the installation, not of a tenant. A key that is over stays, without its private half:
    # the same one in the configuration must not come back to life.
    op.execute("""
        CREATE TABLE auth.signing_keys (
            kid text PRIMARY KEY,
            private_sealed bytea,
            added_at timestamptz NOT NULL,
            signs_from timestamptz NOT NULL,
            ends_at timestamptz,
            CONSTRAINT signing_keys_private
                CHECK (private_sealed IS NOT NULL OR ends_at IS NOT NULL)
        )""")
    grant("auth", "signing_keys", "SELECT, INSERT, UPDATE")
