from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE inventory.locations ADD COLUMN active boolean NOT NULL DEFAULT true")
