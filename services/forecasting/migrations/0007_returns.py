from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Know what of a day's demand was given back."""
    op.execute(
        "ALTER TABLE forecasting.consumption ADD COLUMN returned numeric(30, 4) NOT NULL DEFAULT 0"
    )
