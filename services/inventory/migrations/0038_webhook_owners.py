"""Since when somebody answers for a webhook, and that he may not any more."""

from alembic import op

revision = "0038"
down_revision = "0037"

REASONS = "'failing', 'gone', 'owner_left', 'owner_role', 'owner_limited'"


def upgrade() -> None:
    """Let a webhook be switched off for its owner; where nobody took it over he added it."""
    op.execute("ALTER TABLE inventory.webhooks ADD COLUMN owner_since timestamptz")
    op.execute("ALTER TABLE inventory.webhooks DROP CONSTRAINT webhooks_disabled")
    op.execute(
        "ALTER TABLE inventory.webhooks ADD CONSTRAINT webhooks_disabled "
        f"CHECK (disabled_reason IN ({REASONS}))"
    )
