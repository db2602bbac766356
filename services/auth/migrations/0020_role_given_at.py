"""Since when a user has his role."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN role_given_at timestamptz")
